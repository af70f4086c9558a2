package engine

// FileQuery selects files of one image. Zero fields select all.
type FileQuery struct {
	// Browse lists what stands directly in Folder; without, all below it.
	Browse bool
	Folder string
	Text   string // part of the path, without regard to case; or a whole sha256
	Owner  string // key of the package that they belong to

	Offset, Limit int // Limit 0: 100
}

// FilePage is one page of files, and how many were selected in all.
type FilePage struct {
	Entries []FileEntry
	Total   int
}

// FileEntry is a file with the package that it belongs to.
type FileEntry struct {
	File
	Owner  FileOwner // zero: none is known
	Folder bool      // it is a folder, which holds Files of Bytes at any depth
	Files  int
	Bytes  int64
}

// FileOwner is the package that a file belongs to.
type FileOwner struct {
	Key     string
	Name    string
	Version string
}
