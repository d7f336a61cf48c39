import assert from "node:assert/strict";
import { render } from "../lib/i18n/message.ts";
import { closedReason } from "../lib/vm/shared_folders.ts";
import { ownPlaces } from "./own_places.ts";

Deno.test("ownPlaces() has the program that runs, its state, sockets and keys", () => {
  const settings = {
    dataDir: "/d/data",
    runtimeDir: "/d/run",
    tlsCert: "/d/tls/c.pem",
    tlsKey: "/d/tls/k.pem",
  };
  const reasonFor = (path: string) => {
    const reason = closedReason(path, ownPlaces(settings));
    return reason && render(reason);
  };
  for (const path of ["/d/data/x", "/d/run", "/d/tls", "/d"]) assert.ok(reasonFor(path), path);
  const program = Deno.execPath(), folder = program.slice(0, program.lastIndexOf("/"));
  assert.match(reasonFor(folder)!, /the program of KVM Manager/);
  assert.match(reasonFor(`${folder}/below`)!, /the program of KVM Manager/);
  assert.equal(reasonFor("/d/else"), undefined);
  assert.deepEqual(
    ownPlaces({ dataDir: "", runtimeDir: "", tlsCert: "", tlsKey: "" }).filter(({ path }) =>
      !path.startsWith("/")
    ),
    [],
  );
});
