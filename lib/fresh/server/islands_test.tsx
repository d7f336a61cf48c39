import assert from "node:assert/strict";
import { type Signal, signal } from "@preact/signals";
import { type ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { IslandState } from "../island_state.ts";
import type { Assets } from "./assets.ts";
import type { IslandComponent } from "./manifest.ts";
import type { PageProps } from "../mod.ts";
import { Head } from "../runtime.ts";
import { get, handlerOf, NO_ASSETS, text } from "../testing.tsx";

function Counter({ count }: { count: Signal<number>; label?: string | undefined }) {
  return <button type="button" id={useId()}>{count}</button>;
}
function Outer({ count }: { count: Signal<number> }) {
  return (
    <section>
      <Counter count={count} />
    </section>
  );
}
const Text = ({ text }: { text: string }) => <b>{text}</b>;
const Anything = (_props: { value?: unknown; children?: ComponentChildren }) => <i />;

const chunk = (name: string) => ({ entry: `/_fresh/b1/${name}.js`, imports: ["/_fresh/b1/chunk-X.js"] });
const assets: Assets = {
  ...NO_ASSETS,
  islands: {
    Counter: chunk("Counter"),
    Outer: chunk("Outer"),
    Text: chunk("Text"),
    Anything: chunk("Anything"),
  },
};

function serve(Page: () => ComponentChildren, errors: unknown[] = []) {
  return handlerOf({
    routes: {
      "index.tsx": { default: Page },
      "_app.tsx": {
        default: ({ Component }: PageProps) => (
          <html>
            <head>
              <title>App</title>
              <meta name="a" content="app" />
            </head>
            <body>
              <Component />
            </body>
          </html>
        ),
      },
    },
    islands: { Counter, Outer, Text, Anything } as Record<string, IslandComponent>,
    assets: () => Promise.resolve(assets),
  }, async (ctx) => {
    try {
      return await ctx.next();
    } catch (error) {
      errors.push(error);
      return new Response(null, { status: 500 });
    }
  });
}

function stateOf(html: string): IslandState {
  const [, block = ""] = /<script type="application\/json" id="__FRSH_STATE">(.*?)<\/script>/s.exec(html) ??
    [];
  return JSON.parse(block) as IslandState;
}

Deno.test("a page without an island has no script", async () => {
  assert.doesNotMatch(await text(serve(() => <p>plain</p>), "/"), /<script|modulepreload/);
});

Deno.test("an island is wrapped, its props travel as data, and only its module is loaded", async () => {
  const html = await text(serve(() => <Text text="hi" />), "/");
  assert.match(html, /<fresh-island data-name="Text" data-props="0"><b>hi<\/b><\/fresh-island>/);
  assert.deepEqual(stateOf(html), {
    build: "b1",
    islands: { Text: "/_fresh/b1/Text.js" },
    props: [{ text: "hi" }],
    signals: [],
  });
  assert.match(
    html,
    /<script type="module" nonce="[0-9a-f]{32}" src="\/_fresh\/b1\/boot\.js"><\/script><\/body>/,
  );
  assert.match(html, /<link rel="modulepreload" href="\/_fresh\/b1\/Text\.js"\/>.*chunk-X\.js"\/><\/head>/);
  assert.doesNotMatch(html, /Counter|style=/);
});

Deno.test("a signal given to two islands is one signal", async () => {
  const count = signal(3);
  const html = await text(
    serve(() => (
      <>
        <Counter count={count} label={undefined} />
        <Counter count={count} />
      </>
    )),
    "/",
  );
  const { props, signals } = stateOf(html);
  assert.deepEqual(props, [{ count: { $signal: 0 } }, { count: { $signal: 0 } }]);
  assert.deepEqual(signals, [3]);
});

Deno.test("ids of useId() are different in each island", async () => {
  const html = await text(
    serve(() => (
      <>
        <Counter count={signal(0)} />
        <Counter count={signal(0)} />
      </>
    )),
    "/",
  );
  assert.deepEqual([...html.matchAll(/<button type="button" id="(.*?)"/g)].map(([, id]) => id), [
    "P1-0",
    "P2-0",
  ]);
});

Deno.test("an island inside an island is part of the outer one", async () => {
  const html = await text(serve(() => <Outer count={signal(1)} />), "/");
  assert.equal(html.match(/<fresh-island/g)?.length, 1);
  assert.deepEqual(Object.keys(stateOf(html).islands), ["Outer"]);
});

Deno.test("nothing in an island's props ends the data block", async () => {
  const attack = "</script><img src=x onerror=alert(1)><!--\u2028\u2029&amp;";
  const html = await text(serve(() => <Text text={attack} />), "/");
  assert.equal(html.match(/<\/script>/g)?.length, 2);
  assert.doesNotMatch(html, /<img|<!--/);
  assert.deepEqual(stateOf(html).props, [{ text: attack }]);
});

Deno.test("what JSON cannot carry is refused, naming island and prop", async () => {
  class Vm {}
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const refused: [unknown, RegExp][] = [
    [new Date(), /Island "Anything" was given an instance of Date as "value"/],
    [{ list: [new Map()] }, /an instance of Map as "value\.list\.0"/],
    [() => 1, /a value of type function/],
    [new Vm(), /an instance of Vm/],
    [Symbol("s"), /a value of type symbol/],
    [{ [Symbol("s")]: 1 }, /a symbol for a key/],
    [1n, /a value of type bigint/],
    [NaN, /NaN/],
    [[undefined], /undefined as "value\.0"/],
    [{ jsx: <p /> }, /JSX as "value\.jsx"/],
    [circle, /contains itself as "value\.self"/],
    [signal(new Set()), /an instance of Set as "value"/],
  ];
  for (const [value, message] of refused) {
    const errors: unknown[] = [];
    const response = await get(serve(() => <Anything value={value} />, errors), "/");
    assert.equal(response.status, 500);
    assert.match(String(errors[0]), message);
  }
});

Deno.test("children given to an island are refused", async () => {
  const errors: unknown[] = [];
  assert.equal((await get(serve(() => <Anything>text</Anything>, errors), "/")).status, 500);
  assert.match(String(errors[0]), /Island "Anything" was given children/);
  assert.equal((await get(serve(() => <Anything>{false}</Anything>), "/")).status, 200);
});

Deno.test("Head replaces the app's title, once, escaped, and leaves an SVG's title alone that has a key", async () => {
  const html = await text(
    serve(() => (
      <>
        <Head>
          <title>{"</title><script>1</script>"}</title>
          <meta name="a" content="page" />
          <link rel="icon" href="/i.svg" />
        </Head>
        <svg>
          <title key="picture">Picture</title>
        </svg>
      </>
    )),
    "/",
  );
  const [, head = "", body = ""] = /<head>(.*)<\/head><body>(.*)<\/body>/.exec(html) ?? [];
  assert.equal(
    head,
    "<title>&lt;/title>&lt;script>1&lt;/script></title>" +
      '<meta name="a" content="page"/><link rel="icon" href="/i.svg"/>',
  );
  assert.equal(body, "<svg><title>Picture</title></svg>");
});

Deno.test("a title outside the head that has no key is refused: Fresh swaps it with the page's", async () => {
  const errors: unknown[] = [];
  const drawing = serve(() => (
    <svg>
      <title>Picture</title>
    </svg>
  ), errors);
  assert.equal((await get(drawing, "/")).status, 500);
  assert.match(String(errors[0]), /A <title> outside <head> needs a key/);
});
