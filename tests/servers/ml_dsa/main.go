// Command ml-dsa-judge reads PEM from its input and says whether ML-DSA keys, requests and certificates in it are what
// FIPS 204 and RFC 9881 say: with Cloudflare's implementation, which has nothing in common with OpenSSL's.
package main

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

const encipherment = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement |
	x509.KeyUsageEncipherOnly | x509.KeyUsageDecipherOnly

// RFC 9881 section 2.
var schemes = map[string]sign.Scheme{
	"2.16.840.1.101.3.4.3.17": mldsa44.Scheme(),
	"2.16.840.1.101.3.4.3.18": mldsa65.Scheme(),
	"2.16.840.1.101.3.4.3.19": mldsa87.Scheme(),
}

type keyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

type signed struct {
	Body      asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type privateKey struct {
	Version   int
	Algorithm pkix.AlgorithmIdentifier
	Key       []byte
}

func main() {
	if err := judge(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judge() error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var certificates []*x509.Certificate
	var publicKeys [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			found, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return err
			}
			certificates = append(certificates, found)
			publicKeys = append(publicKeys, found.RawSubjectPublicKeyInfo)
		case "CERTIFICATE REQUEST":
			found, err := x509.ParseCertificateRequest(block.Bytes)
			if err != nil {
				return err
			}
			publicKeys = append(publicKeys, found.RawSubjectPublicKeyInfo)
			if err := tell("request", found.Raw, found.RawSubjectPublicKeyInfo); err != nil {
				return err
			}
		case "PRIVATE KEY":
			if err := belongs(block.Bytes, publicKeys); err != nil {
				return err
			}
		default:
			return errors.New("a block " + block.Type)
		}
	}
	return chain(certificates)
}

// chain checks each certificate with the next one's key, and the last with its own.
func chain(certificates []*x509.Certificate) error {
	for at, found := range certificates {
		above := certificates[min(at+1, len(certificates)-1)]
		if err := usage(found); err != nil {
			return err
		}
		if err := tell(found.Subject.String(), found.Raw, above.RawSubjectPublicKeyInfo); err != nil {
			return err
		}
	}
	return nil
}

// usage: RFC 9881 section 5.
func usage(found *x509.Certificate) error {
	if _, _, err := mlDSA(found.RawSubjectPublicKeyInfo); err == nil && found.KeyUsage&encipherment != 0 {
		return fmt.Errorf("%s: a key that signs is said to encipher", found.Subject)
	}
	return nil
}

func tell(what string, raw, info []byte) error {
	var parts signed
	if _, err := asn1.Unmarshal(raw, &parts); err != nil {
		return err
	}
	scheme, key, err := mlDSA(info)
	if err != nil {
		fmt.Printf("%s: not judged, %s\n", what, err)
		return nil
	}
	if schemes[parts.Algorithm.Algorithm.String()] != scheme || len(parts.Algorithm.Parameters.FullBytes) != 0 {
		return fmt.Errorf("%s: its algorithm is not that of the key, or has parameters", what)
	}
	if !scheme.Verify(key, parts.Body.FullBytes, parts.Signature.Bytes, &sign.SignatureOpts{}) {
		return fmt.Errorf("%s: its signature is wrong", what)
	}
	fmt.Printf("%s: signed with %s\n", what, scheme.Name())
	return nil
}

func mlDSA(info []byte) (sign.Scheme, sign.PublicKey, error) {
	var found keyInfo
	if _, err := asn1.Unmarshal(info, &found); err != nil {
		return nil, nil, err
	}
	scheme := schemes[found.Algorithm.Algorithm.String()]
	if scheme == nil || len(found.Algorithm.Parameters.FullBytes) != 0 {
		return nil, nil, errors.New("the key is not ML-DSA")
	}
	key, err := scheme.UnmarshalBinaryPublicKey(found.Key.Bytes)
	return scheme, key, err
}

// belongs: the seed of RFC 9881 section 6 makes one of the public keys before it.
func belongs(data []byte, publicKeys [][]byte) error {
	var found privateKey
	if _, err := asn1.Unmarshal(data, &found); err != nil {
		return err
	}
	scheme := schemes[found.Algorithm.Algorithm.String()]
	if scheme == nil {
		return errors.New("the private key is not ML-DSA")
	}
	var seed asn1.RawValue
	if _, err := asn1.Unmarshal(found.Key, &seed); err != nil {
		return err
	}
	if seed.Class != asn1.ClassContextSpecific || seed.Tag != 0 || len(seed.Bytes) != scheme.SeedSize() {
		return errors.New("the private key is not in the form of its seed")
	}
	public, _ := scheme.DeriveKey(seed.Bytes)
	for _, info := range publicKeys {
		if _, key, err := mlDSA(info); err == nil && key.(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
			fmt.Printf("key: %s\n", scheme.Name())
			return nil
		}
	}
	return errors.New("the private key belongs to nothing before it")
}
