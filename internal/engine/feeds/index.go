package feeds

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"

	"windlass/internal/engine"
)

// contents is what a database says of itself.
type contents struct {
	schema  string
	built   time.Time
	records int64 // distinct vulnerability records over all groups
	groups  []engine.FeedGroup
}

// index makes an unpacked database ready to be matched with, and counts it. An
// archive holds its tables without their indexes.
//
// Counting takes a fifth of the time that indexing does and runs beside it, on
// the same file: indexing appends pages and leaves those of the tables as they
// are. Should the library ever rebuild a table instead, its first page has
// moved, and the count is done again on the finished database.
func index(ctx context.Context, dir string, p *progress) (contents, error) {
	file := filepath.Join(dir, v6.VulnerabilityDBFileName)
	st, err := os.Stat(file)
	if err != nil {
		return contents{}, fail(CauseDisk, "The database cannot be read from the data folder.", err)
	}
	const foreign = "The archive holds no version 6 vulnerability database."
	d, err := v6.ReadDescription(file)
	if err != nil {
		return contents{}, fail(CauseFormat, foreign, err)
	}
	c := contents{schema: d.SchemaVersion.String(), built: d.Built.UTC()}
	before, err := tables(ctx, dir)
	if err != nil {
		return contents{}, fail(CauseFormat, foreign, err)
	}
	counted := make(chan error, 1)
	aside, cancel := context.WithCancel(ctx)
	go func() {
		var err error
		c.groups, c.records, err = count(aside, dir)
		counted <- err
	}()
	stop := p.follow(file, st.Size())
	err = buildIndexes(ctx, dir)
	if err == nil {
		// What is left to the library: columns that an older database lacks,
		// and the statistics its queries are planned by.
		err = v6.Hydrater()(dir)
	}
	stop()
	if err != nil {
		cancel()
	}
	cerr := <-counted
	cancel()
	if err := errors.Join(context.Cause(ctx), err); err != nil {
		return contents{}, fail(CauseFormat, foreign, err)
	}
	after, err := tables(ctx, dir)
	if err == nil && (cerr != nil || !maps.Equal(before, after)) {
		c.groups, c.records, err = count(ctx, dir)
	}
	if err != nil {
		return contents{}, fail(CauseFormat, "The vulnerability database cannot be read.", err)
	}
	return c, nil
}

// indexMemory is the page cache while indexes are built. They are sorted in it:
// the library's default of two megabytes sorts on disk.
const indexMemory = 48 << 20

// productsOfRecord is an index of our own: the library looks records up by
// product only, and queries by id would walk over all of them.
const productsOfRecord = `CREATE INDEX IF NOT EXISTS windlass_cpe_vulnerability ON affected_cpe_handles (vulnerability_id)`

// buildIndexes creates the indexes that the library would, with room to sort.
// The library itself says which: an empty database of its making has them.
func buildIndexes(ctx context.Context, dir string) error {
	ddl, err := indexStatements()
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, v6.VulnerabilityDBFileName))
	if err != nil {
		return fmt.Errorf("build indexes: %w", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // the settings are the connection's
	for _, set := range []string{
		"PRAGMA synchronous = OFF", "PRAGMA journal_mode = MEMORY", // a copy nobody reads yet: it is thrown away on any failure
		fmt.Sprintf("PRAGMA cache_size = -%d", indexMemory>>10),
	} {
		if _, err := db.ExecContext(ctx, set); err != nil {
			return fmt.Errorf("build indexes: %w", err)
		}
	}
	for _, q := range append(ddl, productsOfRecord) {
		_, err := db.ExecContext(ctx, q)
		// A table or column of a newer schema is the library's to add.
		if err != nil && !strings.Contains(err.Error(), "no such") && !strings.Contains(err.Error(), "already exists") {
			return fmt.Errorf("build indexes: %w", err)
		}
	}
	return nil
}

func indexStatements() ([]string, error) {
	g, err := v6.NewLowLevelDB("", true, true, false)
	if err != nil {
		return nil, fmt.Errorf("index statements: %w", err)
	}
	if db, err := g.DB(); err == nil {
		defer db.Close()
	}
	var list []string
	if err := g.Raw(`SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("index statements: %w", err)
	}
	return list, nil
}

// tables gives the first page of each table.
func tables(ctx context.Context, dir string) (map[string]int64, error) {
	db, err := openReadOnly(dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	m := map[string]int64{}
	err = each(ctx, db, `SELECT name, rootpage FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`, func(scan scanner) error {
		var name string
		var page int64
		if err := scan(&name, &page); err != nil {
			return err
		}
		m[name] = page
		return nil
	})
	return m, err
}
