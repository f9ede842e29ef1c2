// A reader of exported logs that shares no line with the code it checks: golang.org/x/mod's own
// note and tree.
//
//	oracle check DIR       recompute the whole tree from the entry bundles; compare the root with
//	                       the signed one and every hash tile byte for byte; refuse any other file
//	oracle questions       answer questions about roots and proofs, one JSON object a line
//	oracle sign NAME       make a key and sign the text on standard input with it
//	oracle cosign NAME T   make a witness's key and cosign the text on standard input at time T
//	oracle cosigned VKEY   open the note on standard input with a witness's key, tell the time
//
// It tells one line that begins with OK or REFUSED, and ends with 1 after a refusal.
//
// tlog.TileHashReader is not used: before x/mod 0.40 it takes a consistently altered entry and tile
// for sound.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
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

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

// tree keeps every hash of a tree, recomputed from its entries.
type tree struct{ stored []tlog.Hash }

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t.stored[index]
	}
	return found, nil
}

func (t *tree) add(index int64, entry []byte) error {
	more, err := tlog.StoredHashes(index, entry, t)
	t.stored = append(t.stored, more...)
	return err
}

func (t *tree) root(size int64) (tlog.Hash, error) {
	if size == 0 { // tlog gives 32 zero bytes here; RFC 9162 the hash of nothing
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, t)
}

// -- an exported log -----------------------------------------------------------------------------

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

// path is a tile's path as C2SP has it; tlog's own has the height before the level, and its data
// tiles stand where entry bundles do.
func path(tile tlog.Tile) string {
	return strings.Replace(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1), "tile/8/", "tile/", 1)
}

func parsed(name string) (tlog.Tile, error) {
	height := strings.Replace(strings.Replace(name, "tile/entries/", "tile/data/", 1), "tile/", "tile/8/", 1)
	tile, err := tlog.ParseTilePath(height)
	if err == nil && path(tile) != name {
		err = fmt.Errorf("%s is written otherwise", name)
	}
	return tile, err
}

// taken gives the length of the first entries of a bundle.
func taken(bundle []byte, name string, entries int, each func(int, []byte)) int {
	at := 0
	for i := 0; i < entries; i++ {
		mustHold(len(bundle) >= at+2, "%s is cut off", name)
		end := at + 2 + int(binary.BigEndian.Uint16(bundle[at:]))
		mustHold(len(bundle) >= end, "%s is cut off", name)
		each(i, bundle[at+2:end])
		at = end
	}
	return at
}

// fromBundles recomputes every hash of the tree from the entries.
func fromBundles(dir string, size int64, expected map[string]bool) *tree {
	whole := &tree{}
	for first := int64(0); first < size; first += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: width(size, first/256)}
		name := path(tile)
		expected[name] = true
		bundle, err := os.ReadFile(filepath.Join(dir, name))
		must(err)
		length := taken(bundle, name, tile.W, func(i int, entry []byte) {
			must(whole.add(first+int64(i), entry))
		})
		mustHold(len(bundle) == length, "%s has bytes too many", name)
	}
	return whole
}

// width is how many of the hashes of a level stand in its tile n.
func width(hashes int64, n int64) int {
	if left := hashes - 256*n; left < 256 {
		return int(left)
	}
	return 256
}

func checkTiles(dir string, size int64, whole *tree, expected map[string]bool) {
	for level, hashes := 0, size; hashes > 0; level, hashes = level+1, hashes>>8 {
		for n := int64(0); 256*n < hashes; n++ {
			tile := tlog.Tile{H: 8, L: level, N: n, W: width(hashes, n)}
			expected[path(tile)] = true
			stored, err := os.ReadFile(filepath.Join(dir, path(tile)))
			must(err)
			computed, err := tlog.ReadTileData(tile, whole)
			must(err)
			mustHold(bytes.Equal(stored, computed), "%s is not what the entries give", path(tile))
		}
	}
}

// checkNoOthers refuses whatever the checkpoint does not account for. A partial tile that a wider
// one took the place of may stay, for those who hold an earlier checkpoint, and must be its
// beginning.
func checkNoOthers(dir string, size int64, whole *tree, expected map[string]bool) {
	expected["checkpoint"], expected["log.vkey"] = true, true
	must(filepath.WalkDir(dir, func(full string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, full)
		must(err)
		mustHold(entry.Type().IsRegular(), "%s is not a plain file", name)
		if expected[name] {
			return nil
		}
		tile, err := parsed(name)
		mustHold(err == nil, "%s is not a file of this log", name)
		level := tile.L
		if level < 0 {
			level = 0
		}
		wider := tile
		wider.W = width(size>>(8*uint(level)), tile.N)
		mustHold(tile.W < wider.W, "%s is not a tile of this log", name)
		stored, err := os.ReadFile(full)
		must(err)
		var computed []byte
		if tile.L < 0 {
			bundle, err := os.ReadFile(filepath.Join(dir, path(wider)))
			must(err)
			computed = bundle[:taken(bundle, path(wider), tile.W, func(int, []byte) {})]
		} else {
			computed, err = tlog.ReadTileData(tile, whole)
			must(err)
		}
		mustHold(bytes.Equal(stored, computed), "%s is not the beginning of %s", name, path(wider))
		return nil
	}))
}

func check(dir string) {
	size, root := signedTree(dir)
	expected := map[string]bool{}
	whole := fromBundles(dir, size, expected)
	computed, err := whole.root(size)
	must(err)
	mustHold(computed == root, "the entries do not give the signed root")
	checkTiles(dir, size, whole, expected)
	checkNoOthers(dir, size, whole, expected)
	fmt.Println("OK", size)
}

// -- questions about roots and proofs ------------------------------------------------------------

// hash is read from hexadecimal digits.
type hash tlog.Hash

func (h *hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err == nil && len(raw) != tlog.HashSize {
		err = fmt.Errorf("expected a hash of 32 bytes, found %d", len(raw))
	}
	copy(h[:], raw)
	return err
}

type question struct {
	Kind    string   `json:"kind"` // root, inclusion or consistency
	Entries [][]byte `json:"entries"`
	Size    int64    `json:"size"`
	Root    hash     `json:"root"`
	Index   int64    `json:"index"`
	Leaf    hash     `json:"leaf"`
	Old     int64    `json:"old"`
	OldRoot hash     `json:"old_root"`
	Proof   []hash   `json:"proof"`
}

func (q question) answer() (string, error) {
	proof := make([]tlog.Hash, len(q.Proof))
	for i, one := range q.Proof {
		proof[i] = tlog.Hash(one)
	}
	switch q.Kind {
	case "root":
		whole := &tree{}
		for i, entry := range q.Entries {
			if err := whole.add(int64(i), entry); err != nil {
				return "", err
			}
		}
		root, err := whole.root(int64(len(q.Entries)))
		return hex.EncodeToString(root[:]), err
	case "inclusion":
		return "", tlog.CheckRecord(proof, q.Size, tlog.Hash(q.Root), q.Index, tlog.Hash(q.Leaf))
	case "consistency":
		return "", tlog.CheckTree(proof, q.Size, tlog.Hash(q.Root), q.Old, tlog.Hash(q.OldRoot))
	}
	return "", errors.New("unknown kind of question")
}

func questions() {
	asked := json.NewDecoder(os.Stdin)
	for {
		var one question
		err := asked.Decode(&one)
		if err == io.EOF {
			return
		}
		must(err)
		if told, err := one.answer(); err != nil {
			fmt.Println("REFUSED:", err)
		} else {
			fmt.Println(strings.TrimSpace("OK " + told))
		}
	}
}

// -- notes ---------------------------------------------------------------------------------------

func signed(text []byte, signer note.Signer) []byte {
	made, err := note.Sign(&note.Note{Text: string(text)}, signer)
	must(err)
	return made
}

func sign(name string, text []byte) {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	fmt.Printf("OK %s\n%s", public, signed(text, signer))
}

// witness is a key of C2SP tlog-cosignature, Ed25519, which x/mod does not know.
type witness struct {
	name    string
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	at      uint64
}

const timestamped = "\x04"

func (w *witness) Name() string { return w.name }

func (w *witness) KeyHash() uint32 {
	sum := sha256.Sum256([]byte(w.name + "\n" + timestamped + string(w.public)))
	return binary.BigEndian.Uint32(sum[:])
}

func (w *witness) message(text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", w.at)), text...)
}

func (w *witness) Sign(text []byte) ([]byte, error) {
	signature := make([]byte, 8)
	binary.BigEndian.PutUint64(signature, w.at)
	return append(signature, ed25519.Sign(w.private, w.message(text))...), nil
}

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	w.at = binary.BigEndian.Uint64(signature)
	return ed25519.Verify(w.public, w.message(text), signature[8:])
}

func cosign(name string, at int64, text []byte) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	one := &witness{name: name, public: public, private: private, at: uint64(at)}
	key := base64.StdEncoding.EncodeToString([]byte(timestamped + string(public)))
	fmt.Printf("OK %s+%08x+%s\n%s", name, one.KeyHash(), key, signed(text, one))
}

func cosigned(vkey string, text []byte) {
	parts := strings.SplitN(vkey, "+", 3)
	mustHold(len(parts) == 3, "the key has too few parts")
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	mustHold(len(key) == 33 && string(key[:1]) == timestamped, "the key is not one of a witness")
	one := &witness{name: parts[0], public: ed25519.PublicKey(key[1:])}
	mustHold(parts[1] == fmt.Sprintf("%08x", one.KeyHash()), "the key's id does not fit")
	_, err = note.Open(text, note.VerifierList(one))
	must(err)
	fmt.Println("OK", one.at)
}

func main() {
	mustHold(len(os.Args) >= 2, "usage: oracle check|questions|sign|cosign|cosigned ...")
	command, args := os.Args[1], os.Args[2:]
	wanted := map[string]int{"check": 1, "questions": 0, "sign": 1, "cosign": 2, "cosigned": 1}
	count, known := wanted[command]
	mustHold(known && len(args) == count, "%s: unknown, or with too few or too many arguments", command)
	switch command {
	case "check":
		check(args[0])
		return
	case "questions":
		questions()
		return
	}
	text, err := io.ReadAll(os.Stdin)
	must(err)
	switch command {
	case "sign":
		sign(args[0], text)
	case "cosign":
		cosign(args[0], number(args[1]), text)
	case "cosigned":
		cosigned(args[0], text)
	}
}
