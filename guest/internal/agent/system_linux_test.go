package agent

import (
	"context"
	"encoding/json"
	"testing"
	"time"
)

func TestUsageLeavesTheAgentItselfOut(t *testing.T) {
	before := cpuTimes{busy: []uint64{100, 50}, all: []uint64{1000, 500}, self: 40}
	after := cpuTimes{busy: []uint64{190, 140}, all: []uint64{1190, 600}, self: 130}
	whole, cores := usage(before, after)
	if whole != 0 || len(cores) != 1 || cores[0] != 90 {
		t.Error(whole, cores)
	}
	after.self = 40
	if whole, _ := usage(before, after); whole != 47.3 {
		t.Error(whole)
	}
	after.self = 0 // the agent began again
	if whole, _ := usage(before, after); whole != 47.3 {
		t.Error(whole)
	}
	if selfTicks("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14") != 11+12 {
		t.Error("self")
	}
}

func TestMetricsGoOnFromTheKeptReading(t *testing.T) {
	kept.last = reading{}
	ask := func() time.Duration {
		began := time.Now()
		answer, err := getMetrics(&call{ctx: context.Background(), params: json.RawMessage(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		if metrics := answer.(Metrics); metrics.Memory.Total == 0 || metrics.CPUPercent < 0 || metrics.CPUPercent > 100 {
			t.Error(metrics)
		}
		return time.Since(began)
	}
	if took := ask(); took < defaultInterval {
		t.Error("nothing lay between the first two readings", took)
	}
	first := kept.last.at
	kept.last.at = first.Add(-2 * time.Second) // two seconds go by
	before, after, err := twoReadings(context.Background(), defaultInterval, true)
	if err != nil || !before.at.Equal(first.Add(-2*time.Second)) || after.at.Before(first) {
		t.Error("the kept reading was not used", before.at, err)
	}
	if before, _, _ := twoReadings(context.Background(), time.Millisecond, false); before.at.Before(first) {
		t.Error("an interval that is asked for is measured")
	}
}
