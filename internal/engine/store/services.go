package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const serviceColumns = `host, name, base_url, state, detail, restarts, started_at, heartbeat_at, since`

func scanService(r pgx.CollectableRow) (v engine.Service, err error) {
	var detail []byte
	err = r.Scan(&v.Host, &v.Name, &v.BaseURL, &v.State, &detail, &v.Restarts, &v.StartedAt, &v.HeartbeatAt, &v.Since)
	if err == nil {
		err = json.Unmarshal(detail, &v.Detail)
	}
	return v, err
}

// Services lists every service record, in the order of names and hosts.
func (s *Store) Services(ctx context.Context) ([]engine.Service, error) {
	const q = `
		SELECT ` + serviceColumns + ` FROM services
		 ORDER BY array_position($1::text[], name), host`

	rows, err := s.pool.Query(ctx, q, engine.ServiceNames)
	if err != nil {
		return nil, fmt.Errorf("services: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanService)
	if err != nil {
		return nil, fmt.Errorf("services: %w", domain(err))
	}
	return list, nil
}

// restGap is how long a service may have been silent for its new start to be a
// restart. After longer it did not run, and its history must not say it did.
const restGap = 30 * time.Second

// RegisterService records that a service has started. The record says
// registered until the first heartbeat, unless it was heard of just before:
// then it was restarted, which its history keeps.
func (s *Store) RegisterService(ctx context.Context, v engine.Service) error {
	const q = `
		INSERT INTO services (host, name, base_url, state, detail, restarts)
		VALUES ($1, $2, $3, 'registered', $4, $5)
		ON CONFLICT (host, name) DO UPDATE
		   SET base_url = excluded.base_url, restarts = excluded.restarts, started_at = now()`
	const rested = `
		WITH old AS (
			UPDATE services SET state = 'registered', since = now(), heartbeat_at = now()
			  FROM (SELECT host, name, state, heartbeat_at FROM services
			         WHERE host = $1 AND name = $2 AND heartbeat_at < now() - $3::interval FOR UPDATE) AS o
			 WHERE services.host = o.host AND services.name = o.name
			RETURNING o.state, o.heartbeat_at)
		INSERT INTO service_transitions (host, name, from_state, to_state, cause, at)
		SELECT $1, $2, state, '', '` + engine.CauseNotRun + `', heartbeat_at FROM old
		UNION ALL
		SELECT $1, $2, '', 'registered', 'started', now() FROM old`

	const restarted = `
		INSERT INTO service_transitions (host, name, from_state, to_state, cause)
		SELECT host, name, state, state, '` + engine.CauseRestarted + `' FROM services
		 WHERE host = $1 AND name = $2 AND state = 'available'`

	detail, err := json.Marshal(v.Detail)
	if err != nil {
		return err
	}
	return s.inTx(ctx, "register service", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, rested, v.Host, v.Name, restGap); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, restarted, v.Host, v.Name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q, v.Host, v.Name, v.BaseURL, detail, v.Restarts); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeService, "", v.Key(), nil)
	})
}

// Heartbeat stores what a service says of itself. A change of its state, and
// only that, becomes a transition with its event; the transition to available
// from registered is the ordinary start and makes no event.
func (s *Store) Heartbeat(ctx context.Context, v engine.Service, src engine.Source) error {
	// What stood there is read by a statement of its own: one that also writes
	// the row no longer sees it.
	const old = `SELECT state, detail - 'Host' IS DISTINCT FROM $3::jsonb - 'Host' FROM services WHERE host = $1 AND name = $2 FOR UPDATE`
	const q = `
		INSERT INTO services AS s (host, name, base_url, state, detail, restarts)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (host, name) DO UPDATE
		   SET base_url = excluded.base_url, state = excluded.state, detail = excluded.detail,
		       restarts = excluded.restarts, heartbeat_at = now(),
		       since = CASE WHEN s.state = excluded.state THEN s.since ELSE now() END`

	detail, err := json.Marshal(v.Detail)
	if err != nil {
		return err
	}
	return s.inTx(ctx, "heartbeat", func(tx pgx.Tx) error {
		var before engine.ServiceState
		var told bool
		err := tx.QueryRow(ctx, old, v.Host, v.Name, detail).Scan(&before, &told)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := tx.Exec(ctx, q, v.Host, v.Name, v.BaseURL, v.State, detail, v.Restarts); err != nil {
			return err
		}
		if before == v.State {
			if !told {
				return nil
			}
			return record(ctx, tx, engine.ChangeService, "", v.Key(), nil)
		}
		return transition(ctx, tx, v, before, v.State, v.Detail.Message, src)
	})
}

// MarkService moves a service from one state to another because of what was
// seen from outside. It does nothing when the record has meanwhile changed or
// been heard of after seen.
func (s *Store) MarkService(ctx context.Context, v engine.Service, to engine.ServiceState, seen time.Time, cause string, src engine.Source) error {
	const q = `
		UPDATE services SET state = $4, since = now(), detail = $5
		 WHERE host = $1 AND name = $2 AND state = $3 AND heartbeat_at <= $6`

	v.Detail = engine.ServiceDetail{Message: cause, Version: "unknown", DBVersion: "unknown"}
	detail, err := json.Marshal(v.Detail)
	if err != nil {
		return err
	}
	return s.inTx(ctx, "mark service", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, v.Host, v.Name, v.State, to, detail, seen)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return transition(ctx, tx, v, v.State, to, cause, src)
	})
}

// RemoveService deletes the record of a service that is not up.
// engine.ErrConflict when it is, engine.ErrNotFound when there is none.
func (s *Store) RemoveService(ctx context.Context, name, host, cause string, src engine.Source) error {
	const q = `DELETE FROM services WHERE host = $1 AND name = $2 RETURNING ` + serviceColumns

	return s.inTx(ctx, "remove service", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, q, host, name)
		if err != nil {
			return err
		}
		v, err := pgx.CollectExactlyOneRow(rows, scanService)
		if err != nil {
			return err
		}
		if v.Up() {
			return engine.Conflictf("cannot delete an active service")
		}
		return transition(ctx, tx, v, v.State, "", cause, src)
	})
}

// transition records one step of a service's history, its event and its
// announcement. It belongs last in its transaction.
func transition(ctx context.Context, tx pgx.Tx, v engine.Service, from, to engine.ServiceState, cause string, src engine.Source) error {
	const q = `INSERT INTO service_transitions (host, name, from_state, to_state, cause) VALUES ($1, $2, $3, $4, $5)`

	if _, err := tx.Exec(ctx, q, v.Host, v.Name, from, to, cause); err != nil {
		return err
	}
	if t := transitionEvent(from, to); t != "" {
		e := engine.NewEvent(t, engine.AdminAccount, v.BaseURL,
			map[string]any{"service_name": v.Name, "host_id": v.Host, "cause": cause}, src)
		if err := emit(ctx, tx, e); err != nil {
			return err
		}
	}
	return record(ctx, tx, engine.ChangeService, "", v.Key(), nil)
}

func transitionEvent(from, to engine.ServiceState) string {
	switch {
	case to == "":
		return engine.EvServiceRemoved
	case to == engine.ServiceOrphaned:
		return engine.EvServiceOrphaned
	case to == engine.ServiceUnavailable:
		return engine.EvServiceDown
	case to == engine.ServiceAvailable && (from == engine.ServiceUnavailable || from == engine.ServiceOrphaned):
		return engine.EvServiceUp
	}
	return ""
}

// SilentService is a service not heard of for a while.
type SilentService struct {
	engine.Service
	Age time.Duration // since its last heartbeat, by the database's clock
	Now time.Time     // of the same clock
}

// SilentServices lists the services whose last heartbeat is older than age.
func (s *Store) SilentServices(ctx context.Context, age time.Duration) ([]SilentService, error) {
	const q = `
		SELECT ` + serviceColumns + `, now() FROM services WHERE heartbeat_at < now() - $1::interval ORDER BY name, host`

	rows, err := s.pool.Query(ctx, q, age)
	if err != nil {
		return nil, fmt.Errorf("silent services: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v SilentService, err error) {
		var detail []byte
		err = r.Scan(&v.Host, &v.Name, &v.BaseURL, &v.State, &detail, &v.Restarts, &v.StartedAt, &v.HeartbeatAt, &v.Since, &v.Now)
		v.Age = v.Now.Sub(v.HeartbeatAt)
		if err == nil {
			err = json.Unmarshal(detail, &v.Detail)
		}
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("silent services: %w", domain(err))
	}
	return list, nil
}
