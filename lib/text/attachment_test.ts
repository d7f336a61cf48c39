import assert from "node:assert/strict";
import { attachment, attachmentName } from "./attachment.ts";

Deno.test("attachment() names a file exactly, and in ASCII for programs that cannot read that", () => {
  const cases: [name: string, plain: string, exact: string][] = [
    ["a disk.img", "a disk.img", "a%20disk.img"],
    ["Größe 中.img", "Gr__e _.img", "Gr%C3%B6%C3%9Fe%20%E4%B8%AD.img"],
    ["🖴.img", "_.img", "%F0%9F%96%B4.img"],
    [`a"b\\c%41;d`, "a_b_c_41;d", "a%22b%5Cc%2541%3Bd"],
    ["it's (1)*.img", "it's (1)*.img", "it%27s%20%281%29%2A.img"],
    ["half\ud800.img", "half_.img", "half%EF%BF%BD.img"],
  ];
  for (const [name, plain, exact] of cases) {
    assert.equal(attachment(name), `attachment; filename="${plain}"; filename*=UTF-8''${exact}`);
    // As an HTTP header it holds nothing but ASCII.
    assert.equal(
      new Headers({ "content-disposition": attachment(name) }).get("content-disposition"),
      attachment(name),
    );
  }
});

Deno.test("attachmentName() reads what attachment() writes, and takes the name in ASCII where the exact one is broken", () => {
  for (const name of ["disk.qcow2", "Büro 1.raw", `a"b%41\\'(*).img`, "日本.iso"]) {
    assert.equal(attachmentName(attachment(name)), name);
  }
  assert.equal(attachmentName(`attachment; filename="plain.raw"; filename*=UTF-8''%ff`), "plain.raw");
  assert.equal(attachmentName("attachment"), "");
});
