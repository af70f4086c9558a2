package remote

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// uploadTime bounds an upload.
const uploadTime = time.Hour

// UploadImage sends an archive of an image, which only a Windlass analyzes:
// what v1 takes at this address is an archived analysis.
func (c *Client) UploadImage(ctx context.Context, account, tag string, _ int64, r io.Reader) (engine.Image, error) {
	c.learn(ctx)
	if !c.last().Windlass {
		return engine.Image{}, &engine.Fault{Kind: engine.ErrUnsupported, Message: "This engine takes no archives of images: it analyzes what registries have."}
	}
	if tag != "" {
		return engine.Image{}, &engine.Fault{Kind: engine.ErrUnsupported, Message: "Over its API an engine takes an archive under the name in it: leave the tag empty."}
	}
	body, w := io.Pipe()
	form := multipart.NewWriter(w)
	c.own.Go(func() { // ends with the reader, or when the request does
		part, err := form.CreateFormFile("archive_file", "image.tar")
		if err == nil {
			_, err = io.Copy(part, r)
		}
		if err == nil {
			err = form.Close()
		}
		w.CloseWithError(err)
	})
	defer body.Close()
	var list []wireImage
	q := call{method: http.MethodPost, path: "/import/images", body: body, kind: form.FormDataContentType(), account: account, out: &list, timeout: uploadTime}
	if err := c.call(ctx, q); err != nil {
		return engine.Image{}, err
	}
	if len(list) == 0 {
		return engine.Image{}, &engine.Fault{Kind: engine.ErrUnavailable, Message: "The engine took the archive and does not say which image it is."}
	}
	i := imageOf(list[0], account)
	c.altered(account, engine.ChangeImage, string(i.Digest))
	return i, nil
}
