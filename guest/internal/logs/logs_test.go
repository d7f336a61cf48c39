package logs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLinesAreOneEachAndFilesBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	log := New(path, 10_000)
	log.Printf("exec %q", "a\nforged line")
	for range [300]int{} {
		log.Printf("%s", strings.Repeat("x", 90))
	}
	log.Close()
	now, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path + ".1")
	if err != nil || len(now) > 10_000 || len(before) > 10_000 {
		t.Fatal(len(now), len(before), err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(before)+string(now)), "\n") {
		if !strings.HasPrefix(line, "20") {
			t.Fatalf("a line that is none: %q", line)
		}
	}
}

func TestAPausedLogKeepsLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	log := New(path, 0)
	log.Pause(true)
	log.Printf("one")
	if _, err := os.Stat(path); err == nil {
		t.Fatal("written while paused")
	}
	log.Pause(false)
	log.Close()
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "one") {
		t.Fatal(string(text), err)
	}
}
