// Command cert-manager-rules says what cert-manager's own admission rules refuse in specs of Certificates, and what its
// controller would ask for: a JSON spec a line in, a JSON verdict a line out.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/util/validation/field"

	internalapi "github.com/cert-manager/cert-manager/internal/apis/certmanager"
	conversion "github.com/cert-manager/cert-manager/internal/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/internal/apis/certmanager/validation"
	api "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

const longestLine = 16 << 20

type extension struct {
	ID       string `json:"id"`
	Critical bool   `json:"critical"`
	Value    []byte `json:"value"`
}

type verdict struct {
	Unreadable string      `json:"unreadable,omitempty"`
	Refused    []string    `json:"refused,omitempty"`
	NoRequest  string      `json:"noRequest,omitempty"`
	Subject    []byte      `json:"subject,omitempty"`
	Extensions []extension `json:"extensions,omitempty"`
	Signature  string      `json:"signature,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := out.Encode(judge(lines.Bytes())); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func judge(line []byte) (found verdict) {
	var certificate api.Certificate
	if err := json.Unmarshal(line, &certificate.Spec); err != nil {
		return verdict{Unreadable: err.Error()}
	}
	var internal internalapi.CertificateSpec
	if err := conversion.Convert_v1_CertificateSpec_To_certmanager_CertificateSpec(&certificate.Spec, &internal, nil); err != nil {
		return verdict{Unreadable: err.Error()}
	}
	for _, problem := range validation.ValidateCertificateSpec(&internal, field.NewPath("spec")) {
		found.Refused = append(found.Refused, problem.Field)
	}
	request, err := pki.GenerateCSR(
		&certificate, pki.WithUseLiteralSubject(true), pki.WithNameConstraints(true), pki.WithOtherNames(true),
	)
	if err != nil {
		found.NoRequest = err.Error()
		return found
	}
	found.Subject, found.Signature = request.RawSubject, request.SignatureAlgorithm.String()
	for _, each := range request.ExtraExtensions {
		found.Extensions = append(found.Extensions, extension{each.Id.String(), each.Critical, each.Value})
	}
	return found
}
