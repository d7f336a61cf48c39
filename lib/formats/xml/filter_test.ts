import assert from "node:assert/strict";
import { renderXml } from "./build.ts";
import { filterAddresses, filterRefXml, readFilter } from "./filter.ts";
import { parseXml } from "./tree.ts";

Deno.test("readFilter() names what it includes and what it can be told", () => {
  const read = readFilter(`<filter name='x' chain='ipv4-ip'><uuid>u</uuid><filterref filter='a'/>
    <rule action='return' direction='out'><ip srcipaddr='$IP[@1]' dstipaddr='$DHCPSERVER'/></rule>
    <rule action='drop' direction='out'><mac match='no' srcmacaddr='$MAC'/></rule></filter>`);
  assert.deepEqual(read, { includes: ["a"], parameters: ["IP", "DHCPSERVER"], rules: 2 });
});

Deno.test("filterAddresses() reads what filterRefXml() writes, of both families", () => {
  const addresses = ["10.0.0.1", "fd00::1"];
  const text = renderXml(filterRefXml("clean-traffic", addresses));
  assert.match(text, /<parameter name='IP' value='10.0.0.1'\/>\s*<parameter name='IPV6' value='fd00::1'\/>/);
  assert.deepEqual(filterAddresses(parseXml(`<interface>${text}</interface>`)), addresses);
  assert.deepEqual(filterAddresses(parseXml("<interface/>")), []);
});
