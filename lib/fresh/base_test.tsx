import assert from "node:assert/strict";
import { renderToString } from "preact-render-to-string";
import { asMade, setBasePath, withBase } from "./base.ts";

Deno.test("withBase() adds the path to addresses of ours, and to no other", () => {
  setBasePath("/kvm");
  try {
    assert.deepEqual(["/", "/vms?a=/b", "/kvm"].map(withBase), ["/kvm/", "/kvm/vms?a=/b", "/kvm/kvm"]);
    const others = ["", "#main", "vms", "?a", "//evil.example", "https://evil.example/", "data:,x"];
    assert.deepEqual(others.map(withBase), others);
  } finally {
    setBasePath("");
  }
  assert.equal(withBase("/vms"), "/vms");
});

Deno.test("setBasePath() gives every element's addresses the path, once, however it is passed on", () => {
  const Inner = ({ href }: { href: string }) => <a href={href}>x</a>;
  const page = () => (
    <form method="post" action="/vms/actions">
      <Inner href="/vms" />
      <img src="/favicon.svg" alt="" />
      <button type="submit" formAction="/sign-out" value="/plain">x</button>
      <a href="https://evil.example/">x</a>
    </form>
  );
  const html = (base: string) => {
    setBasePath(base);
    try {
      return renderToString(page());
    } finally {
      setBasePath("");
    }
  };
  const plain = html("");
  assert.match(plain, /^<form method="post" action="\/vms\/actions"><a href="\/vms">/);
  const based = html("/kvm");
  assert.equal(based.replaceAll('"/kvm/', '"/'), plain);
  for (const address of ["vms/actions", "vms", "favicon.svg", "sign-out"]) {
    assert.ok(based.includes(`"/kvm/${address}"`));
  }
  assert.ok(based.includes('"/plain"'), "a value is no address");
});

Deno.test("asMade() leaves an element as it is that has the path already", () => {
  setBasePath("/kvm");
  try {
    assert.equal(renderToString(asMade(() => <a href="/kvm/vms">x</a>)), '<a href="/kvm/vms">x</a>');
  } finally {
    setBasePath("");
  }
});
