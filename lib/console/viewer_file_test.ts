import assert from "node:assert/strict";
import { viewerFile } from "./viewer_file.ts";

Deno.test("viewerFile() is what remote-viewer reads", () => {
  assert.equal(
    viewerFile("web", "127.0.0.1", { type: "spice", port: 5900, tlsPort: 5901, password: "p" }),
    "[virt-viewer]\ntype=spice\ntitle=web\nhost=127.0.0.1\nport=5900\ntls-port=5901\npassword=p\n" +
      "delete-this-file=1\nrelease-cursor=ctrl+alt\ntoggle-fullscreen=shift+f11\n",
  );
  assert.doesNotMatch(viewerFile("web", "127.0.0.1", { type: "vnc", port: 5900 }), /password|tls-port/);
});

Deno.test("viewerFile() lets no value become a setting of its own", () => {
  const text = viewerFile("a\nhost=evil", "h", { type: "vnc", port: 1, password: " \\n\r\n\tproxy=evil" });
  assert.deepEqual(text.split("\n").filter((line) => /^(host|proxy)=/.test(line)), ["host=h"]);
  assert.match(text, /^title=a\\nhost=evil$/m);
  assert.match(text, /^password=\\s\\\\n\\r\\n\\tproxy=evil$/m);
});
