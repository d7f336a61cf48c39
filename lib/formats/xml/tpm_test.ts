import assert from "node:assert/strict";
import { XmlDocument } from "./edit.ts";
import { chosenTpmPlace, dropTpmPlace, hasEmulatedTpm, tpmSecret } from "./tpm.ts";

const domain = (tpm: string) => new XmlDocument(`<domain><name>a</name><devices>${tpm}</devices></domain>`);

Deno.test("an emulated TPM is told from one of the host, and from none", () => {
  assert.equal(hasEmulatedTpm(domain("<tpm model='tpm-crb'><backend type='emulator'/></tpm>")), true);
  const passed = "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>";
  assert.equal(hasEmulatedTpm(domain(passed)), false);
  assert.equal(hasEmulatedTpm(domain("")), false);
  // A POWER guest may have both.
  const proxied = "<tpm model='spapr-tpm-proxy'><backend type='passthrough'/></tpm>";
  assert.equal(hasEmulatedTpm(domain(`${proxied}<tpm><backend type='emulator'/></tpm>`)), true);
});

Deno.test("a place that was chosen for the state is known, and can be left to libvirt again", () => {
  const of = (within: string) =>
    domain(`<tpm><backend type='emulator' version='2.0'>${within}</backend></tpm>`);
  const usual = of("<encryption secret='11111111-2222-4333-8444-555555555555'/>");
  assert.equal(chosenTpmPlace(usual), undefined);
  assert.equal(tpmSecret(usual), "11111111-2222-4333-8444-555555555555");
  const chosen = of("<source type='file' path='/srv/tpm'/>");
  assert.equal(chosenTpmPlace(chosen), "/srv/tpm");
  assert.equal(tpmSecret(chosen), undefined);
  dropTpmPlace(chosen);
  assert.equal(chosenTpmPlace(chosen), undefined);
  assert.match(chosen.toString(), /<tpm><backend type='emulator' version='2.0'>\s*<\/backend><\/tpm>/);
});
