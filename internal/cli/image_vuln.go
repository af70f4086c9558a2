package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// Exit codes of an image whose vulnerabilities are not known yet.
const (
	exitAnalyzing   = 100
	exitNotAnalyzed = 101
)

func (a *app) imageVuln() *cobra.Command {
	vendorOnly := truth(true)
	c := a.command("vuln INPUT_IMAGE [VULN_TYPE]", "Show the vulnerabilities of an image", func(ctx context.Context, args []string) error {
		r, err := a.imageQuery(ctx, args, "vuln", query(param{"vendor_only", python.Str(bool(vendorOnly))}))
		if err != nil {
			return err
		}
		shape := shape(available)
		if len(args) > 1 {
			shape = a.vulnTable
		}
		return unanalysed(r, a.show(r, "image vuln", shape))
	})
	c.Flags().Var(&vendorOnly, "vendor-only", "leave out what the vendor will not fix: true or false")
	c.ValidArgsFunction = second("os", "non-os", "all")
	return c
}

// unanalysed gives refusals for images that are not analysed codes of their own.
func unanalysed(r *reply, err error) error {
	if r.ok() {
		return err
	}
	switch m := r.message(); {
	case strings.Contains(m, "analysis_status: analyzing"):
		return exit(exitAnalyzing)
	case strings.Contains(m, "analysis_status: not_analyzed"):
		return exit(exitNotAnalyzed)
	}
	return err
}

func (a *app) vulnTable(r *reader, payload any) string {
	t := columns("Vulnerability ID", "Package", "Severity", "Fix", "CVE Refs", "Vulnerability URL", "Type", "Feed Group", "Package Path")
	for _, v := range r.list(r.at(payload, "vulnerabilities")) {
		var refs []string
		for _, n := range r.list(r.at(v, "nvd_data")) {
			refs = append(refs, python.Str(r.at(n, "id")))
		}
		t.row(r.at(v, "vuln"), r.at(v, "package"), r.at(v, "severity"), r.at(v, "fix"), strings.Join(refs, ","),
			r.at(v, "url"), r.at(v, "package_type"), r.at(v, "feed_group"), r.at(v, "package_path"))
	}
	t.sort(r, 2, false)
	return a.plain(t)
}
