module certwright.io/tests/servers/ml_dsa

go 1.26.0

require github.com/cloudflare/circl v1.6.5

require golang.org/x/sys v0.47.0 // indirect
