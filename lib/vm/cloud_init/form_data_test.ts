import assert from "node:assert/strict";
import { KEPT_SECRET } from "../../contract/cloud_init_bounds.ts";
import { faultOf } from "./fault.ts";
import { cloudInitOf, modeFor } from "./form_data.ts";

function data(values: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.set(`ci.${name}`, value);
  return form;
}

Deno.test("cloudInitOf() reads the form, rows in their order and blank ones left out", () => {
  const cloudInit = cloudInitOf(data({
    mode: "form",
    userData: "not meant",
    "form.hostname": " web ",
    "form.timezone": "",
    "form.users.10.name": "zoe",
    "form.users.10.password": "",
    "form.users.10.keep": "yes",
    "form.users.2.name": "ann",
    "form.users.2.password": " with blanks ",
    "form.users.2.keep": "yes",
    "form.users.2.sudo": "none",
    "form.users.2.groups": "adm, docker",
    "form.users.2.sshKeys": "one\r\n\r\n two \r\n",
    "form.users.3.name": "",
    "form.users.3.sudo": "none",
    "form.packages": "nginx,  htop\ncurl",
    "form.packageUpdate": "yes",
    "form.runCommands": "a b \r\n \r\n  c",
    networkMode: "described",
    "network.0.mac": "52:54:00:00:00:01",
    "network.0.dhcp4": "yes",
    "network.0.addresses": "",
    metaData: "role: web: 1\nodd\n",
  }));
  assert.deepEqual(cloudInit, {
    form: {
      hostname: " web ",
      users: [
        { name: "ann", password: " with blanks ", groups: ["adm", "docker"], sshKeys: ["one", "two"] },
        { name: "zoe", passwordHash: KEPT_SECRET },
      ],
      packages: ["nginx", "htop", "curl"],
      packageUpdate: true,
      runCommands: ["a b ", "  c"],
    },
    network: [{ mac: "52:54:00:00:00:01", dhcp4: true, dhcp6: false }],
    metaData: { role: "web: 1", odd: "" },
  });
});

Deno.test("cloudInitOf() reads whole documents as they were written, with the line ends of Unix", () => {
  const userData = "#cloud-config\r\n a:  1 \r\n";
  assert.deepEqual(
    cloudInitOf(data({ mode: "yaml", userData, networkConfig: " \r\n", "form.hostname": "x" })),
    {
      userData: "#cloud-config\n a:  1 \n",
    },
  );
  assert.deepEqual(cloudInitOf(data({})), { form: {} });
});

Deno.test("modeFor() shows as YAML what the form has no field for", () => {
  assert.equal(modeFor(null), "form");
  assert.equal(modeFor({ form: { runCommands: ["a"] } }), "form");
  assert.equal(modeFor({ form: { runCommands: ["a\nb"] } }), "yaml");
  assert.equal(modeFor({ userData: "" }), "yaml");
  assert.equal(modeFor({ form: {}, networkConfig: "" }), "yaml");
});

Deno.test("faultOf() reads the field of a refusal, and nothing of other errors", () => {
  const details = { field: "form.hostname", reason: "cloudInit.form.hostname must be one" };
  assert.deepEqual(faultOf({ details }), { field: "form.hostname", message: "must be one" });
  for (const other of [undefined, null, new Error("x"), { details: { reason: "x" } }]) {
    assert.equal(faultOf(other), undefined);
  }
});
