package cli

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

var archivedDigest = regexp.MustCompile(`^sha256:[abcdef0-9]+$`)

func (a *app) archive() *cobra.Command {
	return a.group("analysis-archive", "Analyses set aside, and the rules that do it",
		a.group("images", "Archived images", a.archiveAdd(), a.archiveGet(), a.archiveList(), a.archiveRestore(), a.archiveDel()),
		a.group("rules", "Rules that archive and delete", a.ruleAdd(), a.ruleGet(), a.ruleList(), a.ruleDel()))
}

func (a *app) archiveAdd() *cobra.Command {
	return a.command("add IMAGE_DIGESTS...", "Archive the analyses of images", func(ctx context.Context, args []string) error {
		digests := make([]any, len(args))
		for i, d := range args {
			if err := checkDigest(d); err != nil {
				return err
			}
			digests[i] = d
		}
		r, err := a.client.do(ctx, http.MethodPost, "/archives/images", digests)
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive images add", func(r *reader, payload any) string {
			return a.byKeys(r, payload, "digest,status,detail", columns("Image Digest", "Archive Status", "Details"), 1, false) + "\n"
		})
	})
}

func checkDigest(s string) error {
	if !archivedDigest.MatchString(s) {
		return fmt.Errorf("invalid image digest %s. Must conform to regex: %s", s, archivedDigest)
	}
	return nil
}

func (a *app) archiveGet() *cobra.Command {
	return a.command("get DIGEST", "Show an archived image", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/archives/images/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive images get", func(r *reader, payload any) string { return a.archiveTable(r, []any{payload}) })
	})
}

func (a *app) archiveList() *cobra.Command {
	return a.command("list", "List archived images", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/archives/images")
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive images list", a.archiveTable)
	})
}

func (a *app) archiveRestore() *cobra.Command {
	return a.command("restore IMAGE_DIGEST", "Bring an archived image back", func(ctx context.Context, args []string) error {
		if err := checkDigest(args[0]); err != nil {
			return err
		}
		source := python.Dict("archive", python.Dict("digest", args[0]))
		r, err := a.client.do(ctx, http.MethodPost, "/images", python.Dict("source", source))
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive images restore", imageLines)
	})
}

func (a *app) archiveDel() *cobra.Command {
	c := a.command("del DIGEST", "Delete an archived image", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, "/archives/images/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive images del", success)
	})
	c.Flags().Bool("force", false, "accepted; the original does not send it either")
	return c
}

func (a *app) archiveTable(r *reader, payload any) string {
	t := columns("Digest", "Tags", "Analyzed At", "Archived At", "Status", "Archive Size Bytes")
	for _, e := range r.list(payload) {
		var tags []string
		for _, d := range r.list(r.at(e, "image_detail")) {
			tags = append(tags, r.text(r.at(d, "pullstring")))
		}
		t.row(r.at(e, "imageDigest"), strings.Join(tags, ","), r.at(e, "analyzed_at"), r.at(e, "created_at"), r.at(e, "status"), r.at(e, "archive_size_bytes"))
	}
	t.sort(r, 3, true)
	return a.plain(t) + "\n"
}
