// Command pkcs12-reader opens a PKCS#12 file with the library that cert-manager writes its own with, and prints as JSON
// what is in it: `pkcs12-reader key|trust FILE PASSWORD`.
package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"

	"software.sslmate.com/src/go-pkcs12"
)

// Contents are DER; the key is PKCS#8, and absent in a trust store.
type contents struct {
	Key   []byte   `json:"key,omitempty"`
	Certs [][]byte `json:"certs"`
}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("want three arguments: key or trust, a file and its password"))
	}
	data, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail(err)
	}
	read := readKey
	if os.Args[1] == "trust" {
		read = readTrust
	}
	found, err := read(data, os.Args[3])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func readKey(data []byte, password string) (contents, error) {
	key, cert, authorities, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return contents{}, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	return contents{encoded, raw(append([]*x509.Certificate{cert}, authorities...))}, err
}

func readTrust(data []byte, password string) (contents, error) {
	certs, err := pkcs12.DecodeTrustStore(data, password)
	return contents{nil, raw(certs)}, err
}

func raw(certs []*x509.Certificate) [][]byte {
	found := make([][]byte, len(certs))
	for place, cert := range certs {
		found[place] = cert.Raw
	}
	return found
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
