package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// maxFile bounds the files that are sent.
const maxFile = 256 << 20

func (a *app) image() *cobra.Command {
	return a.group("image", "Images: add, look at, delete",
		a.imageAdd(), a.imageGet(), a.imageWait(), a.imageList(), a.imageContent(), a.imageMetadata(),
		a.imageVuln(), a.imageDel(), a.imageImport())
}

func (a *app) imageAdd() *cobra.Command {
	var force, noSubscribe bool
	var dockerfile fileName
	var annotations []string
	c := a.command("add INPUT_IMAGE", "Add an image for analysis", func(ctx context.Context, args []string) error {
		if digestForm.MatchString(args[0]) || idForm.MatchString(args[0]) {
			return errors.New("can only add a tag")
		}
		body, err := additionOf(args[0], string(dockerfile), annotations)
		if err != nil {
			return err
		}
		params := []param{{"autosubscribe", python.Str(!noSubscribe)}}
		if force {
			params = append(params, param{"force", "true"})
		}
		r, err := a.client.do(ctx, http.MethodPost, "/images"+query(params...), body)
		if err != nil {
			return err
		}
		return a.show(r, "image add", imageLines)
	})
	f := c.Flags()
	f.BoolVar(&force, "force", false, "analyse again what was analysed before")
	f.Var(&dockerfile, "dockerfile", "the image's Dockerfile, sent along")
	f.StringArrayVar(&annotations, "annotation", nil, "KEY=VALUE kept with the image; may be repeated")
	f.BoolVar(&noSubscribe, "noautosubscribe", false, "do not watch the tag for updates")
	return c
}

func additionOf(tag, dockerfile string, annotations []string) (*python.Object, error) {
	body := python.Dict("tag", tag)
	if dockerfile != "" {
		text, err := readFile(dockerfile)
		if err != nil {
			return nil, err
		}
		body.Set("dockerfile", base64.StdEncoding.EncodeToString(text))
	}
	if len(annotations) == 0 {
		return body, nil
	}
	notes := python.Dict()
	for _, a := range annotations {
		k, v, _ := strings.Cut(a, "=")
		if k == "" || v == "" {
			return nil, fmt.Errorf("annotation %q is not of the form KEY=VALUE", a)
		}
		notes.Set(k, v)
	}
	body.Set("annotations", notes)
	return body, nil
}

func (a *app) imageGet() *cobra.Command {
	var history bool
	c := a.command("get INPUT_IMAGE", "Show an image", func(ctx context.Context, args []string) error {
		r, err := a.client.lookup(ctx, args[0], history)
		if err != nil {
			return err
		}
		return a.show(r, "image get", imageLines)
	})
	c.Flags().BoolVar(&history, "show-history", false, "also the images that the tag stood for before")
	return c
}

func (a *app) imageDel() *cobra.Command {
	var force, all bool
	c := a.command("del [INPUT_IMAGE]", "Delete an image, or all", func(ctx context.Context, args []string) error {
		switch {
		case all:
			return a.deleteAll(ctx, force)
		case len(args) == 0:
			return errors.New("either an image or --all must be given")
		}
		digest, err := a.resolved(ctx, args[0], exitRefused)
		if err != nil {
			return err
		}
		r, err := a.client.delete(ctx, deletion(digest, force))
		if err != nil {
			return err
		}
		if r.ok() && !deleting(r.body) {
			a.println(a.shaped(r.body, notDeleted))
			return exit(exitRefused)
		}
		return a.show(r, "image del", success)
	})
	c.Flags().BoolVar(&force, "force", false, "also when it is in use")
	c.Flags().BoolVar(&all, "all", false, "every image")
	return c
}

func deletion(digest string, force bool) string {
	path := "/images/" + digest
	if force {
		path += "?force=True"
	}
	return path
}

func deleting(payload any) bool { return (&reader{}).opt(payload, "status") == "deleting" }

func notDeleted(r *reader, payload any) string {
	return "Status: " + python.Str(r.opt(payload, "status")) + "\nDetail: " + python.Str(r.opt(payload, "detail")) + "\n"
}

// deleteAll goes on after a refusal and ends with the last one's code.
func (a *app) deleteAll(ctx context.Context, force bool) error {
	r, err := a.client.get(ctx, "/images")
	if err != nil {
		return err
	}
	if !r.ok() {
		return a.show(r, "image del", nil)
	}
	look := &reader{}
	var end error
	for _, image := range look.list(r.body) {
		for _, d := range look.list(look.at(image, "image_detail")) {
			a.println(fullTag(look, d))
		}
		digest := look.text(look.at(image, "imageDigest"))
		if look.err != nil {
			return look.err
		}
		gone, err := a.client.delete(ctx, deletion(segment(digest), force))
		if err != nil {
			return err
		}
		if !gone.ok() {
			end = a.show(gone, "image del", nil)
		}
	}
	return end
}

func (a *app) imageImport() *cobra.Command {
	var infile fileName
	c := a.command("import", "Import an analysed image from an archive", func(ctx context.Context, _ []string) error {
		body, err := readJSON(string(infile))
		if err != nil {
			return err
		}
		r, err := a.client.do(ctx, http.MethodPost, "/imageimport", body)
		if err != nil {
			return err
		}
		return a.show(r, "image import", imageLines)
	})
	c.Flags().Var(&infile, "infile", "the archive")
	return required(c, "infile")
}

// imageLines shows image records line by line.
func imageLines(r *reader, payload any) string {
	var l lines
	for _, image := range r.list(payload) {
		l.add("Image Digest", r.at(image, "imageDigest"))
		l.some("Parent Digest", r.opt(image, "parentDigest"))
		l.add("Analysis Status", r.at(image, "analysis_status"))
		l.add("Image Type", r.at(image, "image_type"))
		l.add("Analyzed At", r.opt(image, "analyzed_at"))
		details := r.list(r.at(image, "image_detail"))
		if len(details) > 0 {
			l.add("Image ID", r.at(details[0], "imageId"))
		}
		contentLines(r, &l, image)
		l.blank()
		for _, d := range details {
			l.add("Full Tag", fullTag(r, d))
			l.add("Tag Detected At", r.opt(d, "tag_detected_at"))
			l.blank()
		}
	}
	return l.String()
}

func contentLines(r *reader, l *lines, image any) {
	if content := r.opt(image, "image_content"); python.Truthy(content) {
		if meta := r.opt(content, "metadata"); python.Truthy(meta) {
			l.add("Dockerfile Mode", r.at(meta, "dockerfile_mode"))
			l.add("Distro", r.at(meta, "distro"))
			l.add("Distro Version", r.at(meta, "distro_version"))
			l.add("Size", r.at(meta, "image_size"))
			l.add("Architecture", r.at(meta, "arch"))
			l.add("Layer Count", r.at(meta, "layer_count"))
		}
	}
	if notes := r.opt(image, "annotations"); python.Truthy(notes) {
		o := r.object(notes)
		var pairs []string
		for _, k := range o.Keys() {
			v, _ := o.Get(k)
			pairs = append(pairs, k+"="+python.Str(v))
		}
		l.add("Annotations", strings.Join(pairs, ", "))
	}
}

// fullTag is the tag of an image detail, None where it has none.
func fullTag(r *reader, detail any) string {
	if registry := r.opt(detail, "registry"); python.Truthy(registry) {
		return python.Str(registry) + "/" + python.Str(r.at(detail, "repo")) + ":" + python.Str(r.at(detail, "tag"))
	}
	return python.Str(r.opt(detail, "fulltag"))
}

// fileName is an option that names a file that must exist.
type fileName string

func (f *fileName) String() string { return string(*f) }
func (f *fileName) Type() string   { return "path" }
func (f *fileName) Set(s string) error {
	if _, err := os.Stat(s); err != nil {
		return err
	}
	*f = fileName(s)
	return nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is longer than %d MiB", name, maxFile>>20)
	}
	return text, err
}

func readJSON(name string) (any, error) {
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	v, err := python.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}
