// A reader of exported logs that shares no line with the code it checks: golang.org/x/mod's own
// note and tree.
//
//	oracle check DIR               recompute the whole tree from the entry bundles; compare the root
//	                               with the signed one and every hash tile byte for byte
//	oracle record SIZE ROOT INDEX LEAF PROOF...     check an inclusion proof (hex)
//	oracle tree NEW NEWROOT OLD OLDROOT PROOF...    check a consistency proof (hex)
//	oracle sign NAME               make a key and sign the text on standard input with it
//
// tlog.TileHashReader is not used: before x/mod 0.40 it takes a consistently altered entry and tile
// for sound.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
}

func mustHold(holds bool, format string, args ...interface{}) {
	if !holds {
		must(fmt.Errorf(format, args...))
	}
}

func hash(text string) (h tlog.Hash) {
	raw, err := hex.DecodeString(text)
	must(err)
	mustHold(len(raw) == tlog.HashSize, "expected a hash of 32 bytes, found %d", len(raw))
	copy(h[:], raw)
	return h
}

func hashes(texts []string) (list []tlog.Hash) {
	for _, text := range texts {
		list = append(list, hash(text))
	}
	return list
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

// signedTree opens the checkpoint of an export with its own verifier key.
func signedTree(dir string) (size int64, root tlog.Hash) {
	vkey, err := os.ReadFile(filepath.Join(dir, "log.vkey"))
	must(err)
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	must(err)
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	mustHold(len(lines) >= 4, "the checkpoint has too few lines")
	mustHold(lines[0] == verifier.Name(), "the checkpoint is of another log")
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	must(err)
	mustHold(len(raw) == tlog.HashSize, "the root is not a hash")
	copy(root[:], raw)
	return number(lines[1]), root
}

func path(tile tlog.Tile, entries bool) string {
	name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	if entries {
		name = strings.Replace(name, "tile/0/", "tile/entries/", 1)
	}
	return name
}

// storedHashes recomputes every hash of the tree from the entries.
func storedHashes(dir string, size int64, expected map[string]bool) tlog.HashReader {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = stored[index]
		}
		return found, nil
	})
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		name := path(tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}, true)
		expected[name] = true
		bundle, err := os.ReadFile(filepath.Join(dir, name))
		must(err)
		for i := int64(0); i < width; i++ {
			mustHold(len(bundle) >= 2, "%s is cut off", name)
			length := int(binary.BigEndian.Uint16(bundle))
			mustHold(len(bundle) >= 2+length, "%s is cut off", name)
			more, err := tlog.StoredHashes(first+i, bundle[2:2+length], reader)
			must(err)
			stored = append(stored, more...)
			bundle = bundle[2+length:]
		}
		mustHold(len(bundle) == 0, "%s has bytes too many", name)
	}
	return reader
}

func checkTiles(dir string, size int64, reader tlog.HashReader, expected map[string]bool) {
	tiles := tlog.NewTiles(8, 0, size)
	for i, tile := range tiles {
		if i+1 < len(tiles) && tiles[i+1].L == tile.L && tiles[i+1].N == tile.N {
			continue // of a partial tile only the widest belongs to this size
		}
		name := path(tile, false)
		expected[name] = true
		stored, err := os.ReadFile(filepath.Join(dir, name))
		must(err)
		computed, err := tlog.ReadTileData(tile, reader)
		must(err)
		mustHold(bytes.Equal(stored, computed), "%s is not what the entries give", name)
	}
}

// checkNoOthers refuses files that the checkpoint does not account for. A partial tile that a
// fuller one has replaced may stay: an earlier checkpoint rests on it.
func checkNoOthers(dir string, expected map[string]bool) {
	must(filepath.WalkDir(filepath.Join(dir, "tile"), func(full string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, full)
		must(err)
		mustHold(expected[name] || strings.Contains(name, ".p/"), "%s is not a tile of this log", name)
		return nil
	}))
}

func check(dir string) {
	size, root := signedTree(dir)
	expected := map[string]bool{}
	reader := storedHashes(dir, size, expected)
	if size > 0 {
		computed, err := tlog.TreeHash(size, reader)
		must(err)
		mustHold(computed == root, "the entries do not give the signed root")
		checkTiles(dir, size, reader, expected)
		checkNoOthers(dir, expected)
	}
	fmt.Println("OK", size)
}

func sign(name string) {
	text, err := io.ReadAll(os.Stdin)
	must(err)
	secret, public, err := note.GenerateKey(rand.Reader, name)
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	must(err)
	fmt.Printf("%s\n%s", public, signed)
}

func main() {
	mustHold(len(os.Args) >= 3, "usage: oracle check|record|tree|sign ...")
	args := os.Args[2:]
	switch os.Args[1] {
	case "check":
		check(args[0])
	case "record":
		must(tlog.CheckRecord(hashes(args[4:]), number(args[0]), hash(args[1]), number(args[2]), hash(args[3])))
		fmt.Println("OK")
	case "tree":
		must(tlog.CheckTree(hashes(args[4:]), number(args[0]), hash(args[1]), number(args[2]), hash(args[3])))
		fmt.Println("OK")
	case "sign":
		sign(args[0])
	default:
		mustHold(false, "unknown command %s", os.Args[1])
	}
}
