import assert from "node:assert/strict";
import { XmlDocument } from "../formats/xml/edit.ts";
import { dropFilterAddresses } from "../formats/xml/filter.ts";
import { addressesLeftText } from "./addresses_left.ts";

Deno.test("a copy has no addresses of the original's filters, and that is said; other parameters stay", () => {
  const filter = (...parameters: string[]) =>
    `<interface type='network'><filterref filter='f'>${parameters.join("")}</filterref></interface>`;
  const parameter = (name: string, value: string) => `<parameter name='${name}' value='${value}'/>`;
  const document = new XmlDocument(
    `<domain><devices>${
      filter(
        parameter("IP", "192.0.2.7"),
        parameter("IPV6", "2001:db8::7"),
        parameter("DHCPSERVER", "192.0.2.1"),
      )
    }${filter(parameter("IP", "192.0.2.8"))}${filter()}<interface type='user'/></devices></domain>`,
  );
  const left = dropFilterAddresses(document);
  assert.deepEqual(left, ["192.0.2.7", "2001:db8::7", "192.0.2.8"]);
  assert.deepEqual(document.toString().match(/value='[^']*'/g), ["value='192.0.2.1'"]);
  assert.equal(document.toString().match(/filter='f'/g)?.length, 3);
  assert.match(
    addressesLeftText(left, "web") ?? "",
    /^web has .* 192\.0\.2\.7, 2001:db8::7, 192\.0\.2\.8, which were left out/,
  );
  assert.equal(addressesLeftText([], "web"), undefined);
});
