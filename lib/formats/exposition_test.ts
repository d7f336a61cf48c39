import assert from "node:assert/strict";
import {
  contentTypeOf,
  exposition,
  formatFor,
  labelSet,
  type MetricFamily,
  NO_LABELS,
} from "./exposition.ts";

const written = (families: MetricFamily[], format: "openmetrics" | "prometheus") =>
  [...exposition(families, format)].join("");

Deno.test("exposition() writes each format as it wants counters, gauges and the end", () => {
  const families: MetricFamily[] = [
    {
      name: "a_bytes",
      kind: "counter",
      help: 'a "b"\n\\',
      samples: [[NO_LABELS, 1], [labelSet({ x: "y" }), 2.5]],
    },
    { name: "b", kind: "gauge", help: "b", samples: [[NO_LABELS, Infinity], [labelSet({ z: "1" }), NaN]] },
    { name: "none", kind: "gauge", help: "nothing is known", samples: [[NO_LABELS, NaN]] },
  ];
  assert.equal(
    written(families, "openmetrics"),
    '# HELP a_bytes a \\"b\\"\\n\\\\\n# TYPE a_bytes counter\na_bytes_total 1\na_bytes_total{x="y"} 2.5\n' +
      "# HELP b b\n# TYPE b gauge\nb +Inf\n# EOF\n",
  );
  assert.equal(
    written(families, "prometheus"),
    '# HELP a_bytes_total a "b"\\n\\\\\n# TYPE a_bytes_total counter\na_bytes_total 1\n' +
      'a_bytes_total{x="y"} 2.5\n# HELP b b\n# TYPE b gauge\nb +Inf\n',
  );
  assert.equal(written([], "openmetrics"), "# EOF\n");
});

Deno.test("labelSet() keeps every value within its quotes", () => {
  const hostile = 'web"} 1\nlibvirt_up{x="\\';
  assert.equal(labelSet({ domain: hostile }).text, '{domain="web\\"} 1\\nlibvirt_up{x=\\"\\\\"}');
  assert.equal(labelSet({ domain: "\ud800" }).text, '{domain="\ufffd"}');
  assert.equal(labelSet({ domain: "a", host: undefined }).text, '{domain="a"}');
  assert.equal(labelSet({ host: undefined }).text, "");
});

Deno.test("exposition() comes in pieces that are not long", () => {
  const samples = Array.from({ length: 5000 }, (_, n) => [labelSet({ n: String(n) }), n] as const);
  const pieces = [...exposition([{ name: "a", kind: "gauge", help: "a", samples }], "prometheus")];
  assert.ok(pieces.length > 2 && pieces.every((piece) => piece.length < 40_000));
  assert.equal(pieces.join("").split("\n").filter((line) => line.startsWith("a{")).length, 5000);
});

Deno.test("formatFor() takes what Accept prefers, and plain text where it says nothing", () => {
  const prometheus =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  assert.equal(formatFor(prometheus), "openmetrics");
  assert.equal(formatFor("application/openmetrics-text;q=0.5, text/plain"), "prometheus");
  assert.equal(formatFor("application/openmetrics-text; q=0, */*"), "prometheus");
  assert.equal(formatFor("application/openmetrics-text;q=x"), "prometheus");
  for (const accept of [null, "", "*/*", "text/html"]) assert.equal(formatFor(accept), "prometheus");
  assert.match(contentTypeOf("openmetrics"), /^application\/openmetrics-text; version=1\.0\.0/);
});
