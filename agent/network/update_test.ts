import assert from "node:assert/strict";
import { dnsSteps } from "./update.ts";

const host = (ip: string) => ({ ip, hostnames: ["a"] });
const said = (...args: Parameters<typeof dnsSteps>) =>
  dnsSteps(...args).map(({ does, xml, only }) =>
    `${does} ${/ip='([^']+)'/.exec(xml)?.[1]} ${only ?? "both"}`
  );

Deno.test("dnsSteps() changes what runs and what is defined, each from what it has", () => {
  const one = host("10.0.0.1"), two = host("10.0.0.2");
  const cases: [live: typeof one[] | undefined, config: typeof one[], next: typeof one[], steps: string[]][] =
    [
      [[one], [one], [two], ["delete 10.0.0.1 both", "add 10.0.0.2 both"]],
      [undefined, [one], [two], ["delete 10.0.0.1 both", "add 10.0.0.2 both"]],
      // libvirtd was killed when it had written the definition
      [[one], [two], [two], ["delete 10.0.0.1 live", "add 10.0.0.2 live"]],
      [[], [two], [two], ["add 10.0.0.2 live"]],
      [[two], [], [two], ["add 10.0.0.2 config"]],
      [[two], [two], [two], []],
    ];
  for (const [live, config, next, steps] of cases) assert.deepEqual(said({ live, config, next }), steps);
});
