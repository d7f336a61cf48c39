import assert from "node:assert/strict";
import { formatFigure } from "../text/figure.ts";
import { formatBytes, formatPercent } from "../text/quantity.ts";
import { useLocale } from "./locale.ts";
import { message, render } from "./message.ts";
import { amountHere, fixed, number } from "./numbers.ts";

Deno.test("amounts have the decimal sign of their reader", () => {
  const GIB = 1024 ** 3;
  const table: [language: string, ...texts: string[]][] = [
    ["en", "10.4 GiB", "6.3 %", "0.41 ms", "1.50", "77,987"],
    ["de", "10,4 GiB", "6,3 %", "0,41 ms", "1,50", "77.987"],
    ["fr", "10,4 GiB", "6,3 %", "0,41 ms", "1,50", "77\u202f987"],
    ["ja", "10.4 GiB", "6.3 %", "0.41 ms", "1.50", "77,987"],
  ];
  for (const [language, ...texts] of table) {
    using _locale = useLocale(() => language);
    assert.deepEqual(
      [formatBytes(10.4 * GIB), formatPercent(6.3), formatFigure("ms", 0.41), fixed(1.5, 2), number(77_987)],
      texts,
    );
  }
});

Deno.test("an amount in a message that was written in another language has its reader's sign", () => {
  const kept =
    message`${"1.5 GiB"} of ${"2,5 TiB"} are read at ${"0.5 MiB/s"} from 10.0.0.1 by ${"version 1.5"}`;
  {
    using _german = useLocale(() => "de");
    assert.equal(render(kept), "1,5 GiB of 2,5 TiB are read at 0,5 MiB/s from 10.0.0.1 by version 1.5");
  }
  assert.equal(render(kept), "1.5 GiB of 2.5 TiB are read at 0.5 MiB/s from 10.0.0.1 by version 1.5");
  for (const other of ["1.5", "1.5.2 GiB", "1.500 VMs", "a 1.5 GiB"]) assert.equal(amountHere(other), other);
});
