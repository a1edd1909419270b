package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/blobtest"
	"github.com/savepage/savepage/internal/blob/s3"
	"github.com/savepage/savepage/internal/s3server"
)

// TestMain gives the credentials to every store of this program.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": s3server.AccessKey, "AWS_SECRET_ACCESS_KEY": s3server.SecretKey} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func serve(t *testing.T) *s3server.Server {
	t.Helper()
	server, err := s3server.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func open(t *testing.T, server *s3server.Server, bucket, prefix string) *s3.Bucket {
	t.Helper()
	setting, err := server.Bucket(bucket, prefix)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s3.Open(t.Context(), setting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func put(t *testing.T, b *s3.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, b *s3.Bucket, key string) []byte {
	t.Helper()
	file, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestBucket gives each test a prefix of its own in one bucket, so that each sees the others' blobs if a prefix leaks.
func TestBucket(t *testing.T) {
	server, count := serve(t), atomic.Int64{}
	blobtest.Run(t, func(t *testing.T) blobtest.Reopen {
		t.Helper()
		setting, err := server.Bucket("pictures", fmt.Sprintf("place/%d", count.Add(1)))
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) (blob.Store, error) { return s3.Kind().Open(ctx, setting) }
	})
}

// TestLargePicture is stored in parts: what comes back is the same, also from its middle, and half of one is nothing.
func TestLargePicture(t *testing.T) {
	b := open(t, serve(t), "pictures", "")
	for _, size := range []int{8 << 20, 8<<20 + 1, 20 << 20} {
		data := blobtest.Sealed(size - 32)
		put(t, b, "large.png", data)
		if got := read(t, b, "large.png"); !blobtest.Whole(got) || len(got) != size {
			t.Errorf("%d bytes of %d came back, or others", len(got), size)
		}
		file, err := b.Open(t.Context(), "large.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Seek(-1000, io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		tail, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil || !bytes.Equal(tail, data[size-1000:]) {
			t.Errorf("%d bytes of the end came back, or others: %v", len(tail), err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(make([]byte, 9<<20)), iotest.ErrReader(io.ErrUnexpectedEOF))
	if err := b.Put(t.Context(), "half.png", broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that fails: %v", err)
	}
	if _, err := b.Open(t.Context(), "half.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a picture is there: %v", err)
	}
}

// TestPrefixIsAWall puts what belongs to others into the bucket: it is neither listed nor reached.
func TestPrefixIsAWall(t *testing.T) {
	server := serve(t)
	mine, other, root := open(t, server, "pictures", "a"), open(t, server, "pictures", "ab"), open(t, server, "pictures", "")
	put(t, other, "other.png", []byte("other"))
	put(t, root, "root.png", []byte("root"))
	put(t, mine, "mine.png", []byte("mine"))
	for b, want := range map[*s3.Bucket]string{mine: "mine.png", other: "other.png", root: "root.png"} {
		var got []string
		for key, err := range b.Keys(t.Context(), time.Now().Add(time.Hour)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, key)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("the keys are %q, want %s", got, want)
		}
	}
	if err := mine.Delete(t.Context(), "root.png"); err != nil {
		t.Fatal(err)
	}
	if got := string(read(t, root, "root.png")); got != "root" {
		t.Errorf("another's picture is %q", got)
	}
}

// TestLink is followed by somebody without credentials.
func TestLink(t *testing.T) {
	b := open(t, serve(t), "pictures", "shots")
	put(t, b, "abc.png", []byte("picture"))
	link, err := b.Link(t.Context(), "abc.png", blob.Served{
		MediaType: "image/webp", Disposition: `inline; filename="abc.png"`, Valid: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	status, header, body := get(t, link)
	if status != http.StatusOK || body != "picture" {
		t.Errorf("the link answers %d %q", status, body)
	}
	if header.Get("Content-Type") != "image/webp" || header.Get("Content-Disposition") != `inline; filename="abc.png"` {
		t.Errorf("the headers are %v", header)
	}
	if status, _, _ := get(t, strings.Replace(link, "abc.png", "abd.png", 1)); status < 400 {
		t.Errorf("the link leads to another picture: %d", status)
	}
	if _, err := b.Link(t.Context(), "none.png", blob.Served{Valid: time.Hour}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nothing: %v", err)
	}
}

func get(t *testing.T, address string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

// TestServerGoesAndComes finds the store sick while its server is away, and well without being opened again.
func TestServerGoesAndComes(t *testing.T) {
	server := serve(t)
	b := open(t, server, "pictures", "")
	put(t, b, "abc.png", []byte("picture"))
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := b.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that answers nothing: %v", err)
	}
	if _, err := b.Open(ctx, "abc.png"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a picture that cannot be asked for: %v", err)
	}
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := b.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if got := string(read(t, b, "abc.png")); got != "picture" {
		t.Errorf("the picture is %q", got)
	}
}

func TestBucketThatIsNotThere(t *testing.T) {
	server := serve(t)
	setting, err := server.Bucket("pictures", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s3.Open(t.Context(), strings.Replace(setting, "pictures", "others", 1))
	if err == nil || !strings.Contains(err.Error(), "others") || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("the error is %v", err)
	}
}

func TestSettings(t *testing.T) {
	for setting, want := range map[string]string{
		"s3://bucket": "", "s3://bucket/a/b?endpoint=https://h:9&region=eu&path_style=true": "", "s3://bucket?endpoint=h:9": "",
		"s3://": "want s3://bucket", "s3://key:hunter2@bucket": "AWS_ACCESS_KEY_ID", "s3://bucket?hunter2=1": "not a parameter",
		"s3://bucket?endpoint=ftp://h": "https:// or http://", "s3://bucket?endpoint=http://u:hunter2@h": "https://host",
		"s3://bucket/a/../b": "part", "s3://bucket?path_style=maybe": "true or false", "s3://bucket:80": "want s3://bucket",
		"s3://bucket?endpoint=http://h/path": "https://host",
	} {
		err := s3.Kind().Check(setting)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", setting, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", setting, err, want)
		case err != nil && strings.Contains(err.Error(), "hunter2") && want != "not a parameter":
			t.Errorf("%s: the error quotes a secret: %v", setting, err)
		}
	}
}

// TestUploadsThatWereNeverCompleted leaves what a killed process leaves: those of this store's pictures that are old go, nothing
// of others does.
func TestUploadsThatWereNeverCompleted(t *testing.T) {
	server := serve(t)
	b := open(t, server, "pictures", "shots")
	api, err := minio.NewCore(strings.TrimPrefix(server.Endpoint(), "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(s3server.AccessKey, s3server.SecretKey, ""), Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shots/abc.png", "shots/abd.png", "shots/notes.txt", "shots/deep/abc.png", "other/abc.png", "abc.png"} {
		id, err := api.NewMultipartUpload(t.Context(), "pictures", name, minio.PutObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		part := bytes.NewReader(make([]byte, 100))
		if _, err := api.PutObjectPart(t.Context(), "pictures", name, id, 1, part, 100, minio.PutObjectPartOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	put(t, b, "abe.png", []byte("whole"))
	pictures := func(key string) bool { return strings.HasSuffix(key, ".png") }
	if n, err := b.Tidy(t.Context(), time.Now().Add(-time.Hour), pictures); n != 0 || err != nil {
		t.Errorf("%d that may still be under way were given up, %v", n, err)
	}
	if n, err := b.Tidy(t.Context(), time.Now().Add(time.Hour), pictures); n != 2 || err != nil {
		t.Errorf("%d were given up, %v, want 2", n, err)
	}
	left, err := api.ListMultipartUploads(t.Context(), "pictures", "", "", "", "", 100)
	if err != nil || len(left.Uploads) != 4 {
		t.Errorf("left are %+v, %v, want 4 of others", left.Uploads, err)
	}
	if got := string(read(t, b, "abe.png")); got != "whole" {
		t.Errorf("a picture is %q", got)
	}
}
