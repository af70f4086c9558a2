package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/nacl/secretbox"

	"windlass/internal/engine"
)

// nonceSize is secretbox's; the nonce stands before the sealed text.
const nonceSize = 24

// SetSecretKey gives the key that seals stored registry passwords. It is not
// in the database, so that a copy of that gives nothing away.
func (s *Store) SetSecretKey(key [32]byte) { s.key = &key }

func (s *Store) seal(p engine.Secret) ([]byte, error) {
	if s.key == nil {
		return nil, errors.New("no secret key is set")
	}
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) // never fails
	return secretbox.Seal(nonce[:], []byte(p.Reveal()), &nonce, s.key), nil
}

// unseal gives the password back; false when it was sealed with another key.
func (s *Store) unseal(box []byte) (engine.Secret, bool) {
	if s.key == nil || len(box) < nonceSize {
		return "", false
	}
	text, ok := secretbox.Open(nil, box[nonceSize:], (*[nonceSize]byte)(box), s.key)
	return engine.Secret(text), ok
}

const registryColumns = `account, name, label, type, user_name, password, verify, created_at, updated_at,
	checked_at, check_cause, check_text, check_ms, used_at, used_for`

func (s *Store) scanRegistry(r pgx.CollectableRow) (engine.Registry, error) {
	var v engine.Registry
	var box []byte
	var checked, used *time.Time
	var took int64
	if err := r.Scan(&v.Account, &v.Name, &v.Label, &v.Type, &v.User, &box, &v.Verify, &v.CreatedAt, &v.UpdatedAt,
		&checked, &v.Check.Cause, &v.Check.Text, &took, &used, &v.UsedFor); err != nil {
		return v, err
	}
	v.CreatedAt, v.UpdatedAt = v.CreatedAt.UTC(), v.UpdatedAt.UTC()
	v.Check.At, v.Check.Took, v.UsedAt = zero(checked), time.Duration(took)*time.Millisecond, zero(used)
	var ok bool
	if v.Password, ok = s.unseal(box); !ok {
		// The record stays visible, to be entered anew; its registry will say
		// that the password is wrong.
		s.log.Warn("registry password unreadable", "registry", v.Name, "account", v.Account)
	}
	return v, nil
}

// Registries lists the stored registries of an account with their passwords.
func (s *Store) Registries(ctx context.Context, account string) ([]engine.Registry, error) {
	const q = `SELECT ` + registryColumns + ` FROM registries WHERE account = $1 ORDER BY name`

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("registries: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, s.scanRegistry)
	if err != nil {
		return nil, fmt.Errorf("registries: %w", domain(err))
	}
	return list, nil
}

// Registry is one stored registry; engine.ErrNotFound when there is none.
func (s *Store) Registry(ctx context.Context, account, name string) (engine.Registry, error) {
	const q = `SELECT ` + registryColumns + ` FROM registries WHERE account = $1 AND name = $2`

	rows, err := s.pool.Query(ctx, q, account, name)
	if err != nil {
		return engine.Registry{}, fmt.Errorf("registry: %w", domain(err))
	}
	v, err := pgx.CollectExactlyOneRow(rows, s.scanRegistry)
	if err != nil {
		return v, fmt.Errorf("registry: %w", domain(err))
	}
	return v, nil
}

// AddRegistry stores a registry, with its check if it was asked before;
// engine.ErrConflict when there is one of that name.
func (s *Store) AddRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	const q = `
		INSERT INTO registries (account, name, label, type, user_name, password, verify, checked_at, check_cause, check_text, check_ms, used_at, used_for)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	return s.writeRegistry(ctx, "add registry", q, r)
}

// UpdateRegistry stores all fields of a registry anew, its check too: what was
// found of another credential says nothing of this one. It is
// engine.ErrNotFound when there is none of that name.
func (s *Store) UpdateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	const q = `
		UPDATE registries SET label = $3, type = $4, user_name = $5, password = $6, verify = $7, updated_at = now(),
		       checked_at = $8, check_cause = $9, check_text = $10, check_ms = $11,
		       used_at = COALESCE($12, used_at), used_for = COALESCE(NULLIF($13, ''), used_for)
		 WHERE account = $1 AND name = $2`
	return s.writeRegistry(ctx, "update registry", q, r)
}

func (s *Store) writeRegistry(ctx context.Context, what, q string, r engine.Registry) (engine.Registry, error) {
	box, err := s.seal(r.Password)
	if err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	err = s.inTx(ctx, what, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, r.Account, r.Name, r.Label, r.Type, r.User, box, r.Verify,
			null(r.Check.At), r.Check.Cause, r.Check.Text, r.Check.Took.Milliseconds(), null(r.UsedAt), r.UsedFor)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return engine.ErrNotFound
		}
		return record(ctx, tx, engine.ChangeRegistry, r.Account, r.Name, nil)
	})
	if err != nil {
		return r, err
	}
	return s.Registry(ctx, r.Account, r.Name)
}

// RemoveRegistry forgets a registry; one that is not there is forgotten
// already.
func (s *Store) RemoveRegistry(ctx context.Context, account, name string) error {
	return s.inTx(ctx, "remove registry", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM registries WHERE account = $1 AND name = $2`, account, name)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeRegistry, account, name, nil)
	})
}
