package postgres

import (
	"io/fs"
	"testing/fstest"
)

// Oldest is the first version of the tables whose programs work with those of this one.
const Oldest = oldest

// Migrations are the files of this program's migrations.
func Migrations() fs.FS { return migrations }

// Later is the database as a later version of the program knows it, which has more migrations.
func Later(address string, more map[string]string, oldest int64) (Database, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		files[path] = &fstest.MapFile{Data: text}
		return err
	})
	for name, text := range more {
		files["migrations/"+name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)}
	}
	return Database{address, schema{files, oldest}}, err
}
