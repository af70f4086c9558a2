package remote

import (
	"context"

	"windlass/internal/engine"
)

// SampleStatus says what of a Windlass' sample is there.
func (c *Client) SampleStatus(ctx context.Context, account string) (engine.SampleStatus, error) {
	var w struct {
		Images  int  `json:"images"`
		Running bool `json:"running"`
		Starter bool `json:"starter_data"`
	}
	err := c.beyond(ctx, "GET /console/sample", call{account: account, out: &w})
	return engine.SampleStatus{Images: w.Images, Starter: w.Starter, Running: w.Running}, err
}

// TrySample analyses the sample images.
func (c *Client) TrySample(ctx context.Context, account string) error {
	return c.changed(ctx, "POST /console/sample", call{account: account}, engine.ChangeSample, "")
}

// RemoveSample takes them away.
func (c *Client) RemoveSample(ctx context.Context, account string) error {
	return c.changed(ctx, "DELETE /console/sample", call{account: account}, engine.ChangeSample, "")
}
