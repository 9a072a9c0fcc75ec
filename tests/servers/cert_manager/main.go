// Command cert_manager is cert-manager's own controller or its own webhook, whichever it is called as, with the
// defaults of their flags: tests hand a cluster over to the real thing, and benchmarks run the same work on it.
//
// cert-manager's commands can be built from its repository alone; what they wire together is in its released module,
// whose internal packages are open to a module named below it. Left out is what needs Venafi's library.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/vault"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	workers       = 5
	maxChallenges = 60
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	run := runController
	if filepath.Base(os.Args[0]) == "cert-manager-webhook" {
		run = runWebhook
	}
	if err := run(logf.NewContext(ctx, logf.Log), pflag.NewFlagSet(os.Args[0], pflag.ExitOnError)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runWebhook(ctx context.Context, flags *pflag.FlagSet) error {
	settings, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	options.AddConfigFlags(flags, settings)
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	server, err := webhook.NewCertManagerWebhookServer(logf.FromContext(ctx), *settings)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

func runController(ctx context.Context, flags *pflag.FlagSet) error {
	settings := contextOptions()
	recursiveOnly := addFlags(flags, &settings)
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	settings.DNS01CheckAuthoritative = !*recursiveOnly
	factory, err := controller.NewContextFactory(ctx, settings)
	if err != nil {
		return err
	}
	running, err := factory.Build()
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for name, build := range controller.Known() {
		loop, err := build(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		group.Go(func() {
			if err := loop.Run(workers, ctx); err != nil {
				fmt.Fprintln(os.Stderr, name, err)
			}
		})
	}
	running.SharedInformerFactory.Start(ctx.Done())
	running.KubeSharedInformerFactory.Start(ctx.Done())
	running.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	fmt.Println("running")
	group.Wait()
	return nil
}

// addFlags takes those that tests and benchmarks give. No leader is elected here and neither metrics nor health are
// served, so the flags about them change nothing.
func addFlags(flags *pflag.FlagSet, settings *controller.ContextOptions) *bool {
	flags.StringVar(&settings.Kubeconfig, "kubeconfig", "", "of the cluster")
	flags.StringVar(&settings.ClusterResourceNamespace, "cluster-resource-namespace", "kube-system", "where Secrets of ClusterIssuers are")
	flags.StringSliceVar(&settings.DNS01Nameservers, "dns01-recursive-nameservers", dnsutil.RecursiveNameservers, "which the self-check asks")
	for _, name := range []string{"leader-elect", "metrics-listen-address", "healthz-listen-address"} {
		flags.String(name, "", "changes nothing")
	}
	return flags.Bool("dns01-recursive-nameservers-only", false, "the self-check asks no others")
}

// contextOptions are the defaults of cert-manager's flags. Its client has no limit of its own where the API server has
// priority and fairness.
func contextOptions() controller.ContextOptions {
	return controller.ContextOptions{
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		IssuerOptions:      controller.IssuerOptions{ClusterIssuerAmbientCredentials: true},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			DNS01CheckRetryPeriod:             10 * time.Second,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerKind:                 "Issuer",
			DefaultIssuerGroup:                "cert-manager.io",
			DefaultAutoCertificateAnnotations: []string{"kubernetes.io/tls-acme"},
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
			CertificateRequestMinimumBackoffDuration: time.Hour,
			CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: maxChallenges},
	}
}
