package feeds

import (
	"context"
)

// StarterSource is what the starter data calls its origin.
const StarterSource = "starter"

// RemoveStarter takes the built-in starter data out of use.
func (s *Service) RemoveStarter(ctx context.Context) error {
	release, ok, err := s.store.LockFeeds(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return errBusy()
	}
	defer release()
	return s.store.DropStarter(ctx)
}
