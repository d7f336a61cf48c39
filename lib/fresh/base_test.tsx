import assert from "node:assert/strict";
import { h, options, type VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import { setBasePath, withBase } from "./base.ts";

// Installed before the path's hook, as Fresh's is.
(options as { __b?: (vnode: VNode) => void }).__b = (vnode) => {
  if (typeof vnode.type !== "string" || !("data-again" in vnode.props)) return;
  const { type } = vnode;
  vnode.type =
    (({ "data-again": _, ...props }: { "data-again": string }) => h<object>(type, props)) as VNode["type"];
};

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

Deno.test("an element gets the path once that a component makes again, as Fresh does in a head", () => {
  setBasePath("/kvm");
  try {
    const link = <link data-again="" rel="icon" href="/favicon.svg" />;
    assert.equal(renderToString(link), '<link rel="icon" href="/kvm/favicon.svg"/>');
    const image = <img src="/x" alt="" />;
    assert.equal(renderToString(<>{image}{image}</>), '<img src="/kvm/x" alt/>'.repeat(2));
  } finally {
    setBasePath("");
  }
});
