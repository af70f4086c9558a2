package cli

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) imageContent() *cobra.Command {
	c := a.command("content INPUT_IMAGE [CONTENT_TYPE]", "Show what is in an image", func(ctx context.Context, args []string) error {
		r, err := a.imageQuery(ctx, args, "content", "")
		if err != nil {
			return err
		}
		if len(args) < 2 {
			return a.show(r, "image content", available)
		}
		look := &reader{}
		if r.ok() && !python.Truthy(look.at(r.body, "content")) && look.err == nil {
			return verbatim("There is no image content (" + args[1] + ") to provide for " + args[0])
		}
		return a.show(r, "image content", a.content(args[1]))
	})
	c.ValidArgsFunction = second("os", "files", "npm", "gem", "python", "java", "go", "nuget", "binary", "malware", "manifest", "dockerfile", "docker_history")
	return c
}

func (a *app) imageMetadata() *cobra.Command {
	c := a.command("metadata INPUT_IMAGE [METADATA_TYPE]", "Show what is known about an image's making", func(ctx context.Context, args []string) error {
		r, err := a.imageQuery(ctx, args, "metadata", "")
		if err != nil {
			return err
		}
		if len(args) < 2 {
			return a.show(r, "image metadata", available)
		}
		return a.show(r, "image metadata", metadataLines)
	})
	c.ValidArgsFunction = second("manifest", "dockerfile", "docker_history")
	return c
}

// imageQuery asks for what is known about an image: the kinds, or one of them.
func (a *app) imageQuery(ctx context.Context, args []string, what, params string) (*reply, error) {
	digest, err := a.resolved(ctx, args[0], exitRefused)
	if err != nil {
		return nil, err
	}
	path := "/images/" + digest + "/" + what
	if len(args) > 1 {
		path += "/" + segment(args[1])
	}
	return a.client.get(ctx, path+params)
}

// second completes the second argument.
func second(values ...string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return values, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// available lists kinds that can be asked for.
func available(r *reader, payload any) string {
	var b strings.Builder
	for _, kind := range r.list(payload) {
		b.WriteString(python.Str(kind) + ": available\n")
	}
	return b.String() + "\n"
}

func (a *app) content(kind string) shape {
	return func(r *reader, payload any) string {
		content := r.at(payload, "content")
		switch kind {
		case "os":
			return a.osPackages(r, content)
		case "files":
			return a.byKeys(r, content, "filename,size", columns("Filename", "Size"), 1, true)
		case "npm", "gem", "python":
			return a.packages(r, content)
		case "java":
			return a.byKeys(r, content, "package,specification-version,implementation-version,location",
				columns("Package", "Specification-Version", "Implementation-Version", "Location"), 0, false)
		case "malware":
			return a.findings(r, content)
		case "manifest", "dockerfile", "docker_history":
			return decoded(r, content)
		}
		return a.otherContent(r, content)
	}
}

func (a *app) byKeys(r *reader, content any, keys string, t *table, sort int, reverse bool) string {
	for _, e := range r.list(content) {
		var row []any
		for key := range strings.SplitSeq(keys, ",") {
			row = append(row, r.at(e, key))
		}
		t.row(row...)
	}
	t.sort(r, sort, reverse)
	return a.plain(t)
}

func (a *app) packages(r *reader, content any) string {
	return a.byKeys(r, content, "package,version,location", columns("Package", "Version", "Location"), 0, false)
}

func (a *app) osPackages(r *reader, content any) string {
	t := columns("Package", "Version", "Licenses")
	for _, e := range r.list(content) {
		var licenses []string
		for _, l := range r.list(r.at(e, "licenses")) {
			licenses = append(licenses, r.text(l))
		}
		t.row(r.at(e, "package"), r.at(e, "version"), strings.Join(licenses, " "))
	}
	t.sort(r, 0, false)
	return a.plain(t)
}

func (a *app) findings(r *reader, content any) string {
	t := columns("Scanner", "Matched Signature", "Path")
	for _, e := range r.list(content) {
		for _, f := range r.list(r.at(e, "findings")) {
			t.row(r.at(e, "scanner"), r.at(f, "signature"), r.at(f, "path"))
		}
	}
	t.sort(r, 2, false)
	return a.plain(t)
}

// otherContent shows kinds without a table of their own by the first element.
func (a *app) otherContent(r *reader, content any) string {
	elements := r.list(content)
	if len(elements) == 0 {
		return ""
	}
	first := r.object(elements[0])
	_, p := first.Get("package")
	_, v := first.Get("version")
	_, l := first.Get("location")
	if p && v && l {
		return a.packages(r, content)
	}
	t := columns(first.Keys()...)
	for _, e := range elements {
		var row []any
		for _, k := range first.Keys() {
			row = append(row, r.at(e, k))
		}
		t.row(row...)
	}
	return a.plain(t)
}

func decoded(r *reader, v any) string {
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.text(v)))
	if err != nil {
		r.fault("%s", err)
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

func metadataLines(r *reader, payload any) string {
	var l lines
	l.add("Image Digest", r.at(payload, "imageDigest"))
	l.add("Metadata", decoded(r, r.at(payload, "metadata")))
	l.add("Metadata Type", r.at(payload, "metadata_type"))
	return l.String()
}
