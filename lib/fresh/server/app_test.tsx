import assert from "node:assert/strict";
import { App, createDefine, HttpError, type Middleware, page, type PageProps } from "../mod.ts";
import { register } from "./manifest.ts";
import { nonceOf } from "../nonce.ts";
import { get, handlerOf, text } from "../testing.tsx";

const Page = (name: string) => ({ default: () => <p>{name}</p> });
const ShowParams = { default: ({ params }: PageProps) => <p>{JSON.stringify(params)}</p> };
const shown = (html: string) =>
  /<p>(.*?)<\/p>/.exec(html)?.[1]?.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

Deno.test("fsRoutes() finds index, names, places, the rest and groups", async () => {
  const handler = handlerOf({
    routes: {
      "index.tsx": Page("home"),
      "vms/index.tsx": Page("list"),
      "vms/new.tsx": Page("new"),
      "vms/[id].tsx": ShowParams,
      "(admin)/settings.tsx": Page("settings"),
      "docs/[...path].tsx": ShowParams,
    },
  });
  assert.equal(shown(await text(handler, "/")), "home");
  assert.equal(shown(await text(handler, "/vms")), "list");
  assert.equal(shown(await text(handler, "/vms/")), "list");
  assert.equal(shown(await text(handler, "/vms/new")), "new");
  for (
    const name of [
      "a b/c",
      "a;b",
      "a&b",
      "a+b",
      "a@b",
      "a,b",
      "a:=b",
      "a$b",
      "a#b?",
      "a%b",
      "a%41",
      "ü'\"<i>",
      "\\|",
    ]
  ) {
    const found = JSON.parse(shown(await text(handler, `/vms/${encodeURIComponent(name)}`))!) as unknown;
    assert.deepEqual(found, { id: name });
  }
  assert.equal(shown(await text(handler, "/vms/%E0%A4%A")), '{"id":"%E0%A4%A"}');
  assert.equal(shown(await text(handler, "/settings")), "settings");
  assert.equal(shown(await text(handler, "/docs/a/b")), '{"path":"a/b"}');
  assert.equal((await get(handler, "/docs")).status, 200);
  assert.equal((await get(handler, "/vms/a/b")).status, 404);
  assert.equal((await get(handler, "/vms/%ff")).status, 200);
  assert.equal((await get(handler, "/__proto__")).status, 404);
});

Deno.test("handler() dispatches by method, answers HEAD from GET and refuses the rest with 405", async () => {
  const handlers = { GET: () => new Response("got"), POST: () => new Response("posted", { status: 201 }) };
  const handler = handlerOf({ routes: { "x.ts": { handlers } } });
  assert.equal(await text(handler, "/x"), "got");
  assert.equal((await get(handler, "/x", { method: "POST" })).status, 201);
  const head = await get(handler, "/x", { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal((await get(handler, "/x", { method: "DELETE" })).status, 405);
  assert.equal((await get(handler, "/x", { method: "OPTIONS" })).headers.get("allow"), "GET, POST, HEAD");
});

Deno.test("handler() takes a function for every method", async () => {
  const handler = handlerOf({
    routes: { "x.ts": { handler: (ctx: { req: Request }) => new Response(ctx.req.method) } },
  });
  assert.equal(await (await get(handler, "/x", { method: "PATCH" })).text(), "PATCH");
});

Deno.test("page() gives data, status and headers", async () => {
  const define = createDefine<unknown>();
  const handlers = define.handlers({
    GET: () => page({ n: 7 }, { status: 202, headers: { "x-a": "b" } }),
  });
  const handler = handlerOf({
    routes: { "x.tsx": { handlers, default: define.page<typeof handlers>(({ data }) => <p>{data.n}</p>) } },
  });
  const response = await get(handler, "/x");
  assert.deepEqual([response.status, response.headers.get("x-a")], [202, "b"]);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(shown(await response.text()), "7");
});

Deno.test("define.page() may be async, and may answer by itself", async () => {
  const later = async () => {
    await Promise.resolve();
    return <p>later</p>;
  };
  const away = async () => {
    await Promise.resolve();
    return new Response("away");
  };
  const handler = handlerOf({ routes: { "a.tsx": { default: later }, "b.tsx": { default: away } } });
  assert.equal(shown(await text(handler, "/a")), "later");
  assert.equal(await text(handler, "/b"), "away");
});

Deno.test("_app and nested _layout go around the page, unless config skips them", async () => {
  const frame = (name: string) => ({
    default: ({ Component }: PageProps) => <div class={name}>{<Component />}</div>,
  });
  const handler = handlerOf({
    routes: {
      "_app.tsx": {
        default: ({ Component }: PageProps) => (
          <html>
            <body>
              <Component />
            </body>
          </html>
        ),
      },
      "_layout.tsx": frame("outer"),
      "a/_layout.tsx": {
        default: async ({ Component }: PageProps) =>
          await (
            <div class="inner">
              <Component />
            </div>
          ),
      },
      "a/index.tsx": Page("a"),
      "a/bare.tsx": { ...Page("bare"), config: { skipAppWrapper: true, skipInheritedLayouts: true } },
      "b/_layout.tsx": { ...frame("own"), config: { skipInheritedLayouts: true } },
      "b/index.tsx": Page("b"),
    },
  });
  const around = (inner: string) => `<!DOCTYPE html><html><body>${inner}</body></html>`;
  assert.equal(
    await text(handler, "/a"),
    around('<div class="outer"><div class="inner"><p>a</p></div></div>'),
  );
  assert.equal(await text(handler, "/b"), around('<div class="own"><p>b</p></div>'));
  assert.equal(
    await text(handler, "/a/bare"),
    '<!DOCTYPE html><html><head><meta charset="utf-8"/></head><body><p>bare</p></body></html>',
  );
});

Deno.test("_middleware of every folder on the way runs, outermost first, and shares ctx.state", async () => {
  const define = createDefine<{ way: string[] }>();
  const step = (name: string) => ({
    default: define.middleware(async (ctx) => {
      ctx.state.way = [...(ctx.state.way ?? []), name];
      const response = await ctx.next();
      response.headers.append("x-way", name);
      return response;
    }),
  });
  const routes = {
    "_middleware.ts": step("root"),
    "a/_middleware.ts": { default: [step("a1").default, step("a2").default] },
    "a/(g)/_middleware.ts": step("g"),
    "a/(g)/x.tsx": { default: ({ state }: PageProps<never, { way: string[] }>) => <p>{state.way.join()}</p> },
    "y.tsx": Page("y"),
  };
  register({ routes });
  const handler = new App<{ way: string[] }>().use(step("use").default).fsRoutes().handler();
  const response = await get(handler, "/a/x");
  assert.equal(shown(await response.text()), "use,root,a1,a2,g");
  assert.equal(response.headers.get("x-way"), "g, a2, a1, root, use");
  assert.equal((await get(handler, "/y")).headers.get("x-way"), "root, use");
  assert.equal(
    (await get(handler, "/none")).headers.get("x-way"),
    null,
    "nothing passed: it ended in an error",
  );
});

Deno.test("use(path) covers what is below the path only", async () => {
  const handler = new App<unknown>()
    .use("/api", () => new Response("no", { status: 401 }))
    .get("/api/x", () => new Response("x")).get("/apix", () => new Response("open")).handler();
  assert.equal((await get(handler, "/api/x")).status, 401);
  assert.equal(await text(handler, "/apix"), "open");
});

/** Runs with what is written to the console as an error kept from it, and gives that back. */
async function consoleErrors(run: () => Promise<void>): Promise<unknown[]> {
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...args) => said.push(...args);
  try {
    await run();
  } finally {
    console.error = error;
  }
  return said;
}

/** A middleware that keeps every error that passes. */
const keepsErrors = (seen: unknown[]): Middleware<unknown> => async (ctx) => {
  try {
    return await ctx.next();
  } catch (error) {
    assert.equal(ctx.error, error);
    seen.push(error);
    throw error;
  }
};

Deno.test("_error renders 404 and 500 inside the app, without the error's text or stack", async () => {
  const seen: unknown[] = [];
  const failure = new Error("secret detail");
  const handler = handlerOf({
    routes: {
      "_app.tsx": {
        default: ({ Component }: PageProps) => (
          <html>
            <body>
              <Component />
            </body>
          </html>
        ),
      },
      "_error.tsx": {
        default: ({ error }: PageProps) => <p>{error instanceof HttpError ? error.status : "failed"}</p>,
      },
      "fails.tsx": {
        default: () => {
          throw failure;
        },
      },
      "teapot.ts": {
        handler: () => {
          throw new HttpError(418, "short and stout");
        },
      },
    },
  }, keepsErrors(seen));
  const missing = await get(handler, "/none");
  assert.deepEqual([missing.status, shown(await missing.text())], [404, "404"]);
  const failed = await get(handler, "/fails");
  const html = await failed.text();
  assert.deepEqual([failed.status, shown(html)], [500, "failed"]);
  assert.match(html, /<html><body>/);
  assert.doesNotMatch(html, /secret|\.tsx/);
  assert.equal((await get(handler, "/teapot")).status, 418);
  assert.deepEqual(seen.map((error) => error instanceof HttpError ? error.status : error), [
    404,
    failure,
    418,
  ]);
});

Deno.test("_error of the nearest folder answers; when it fails itself, the one above does", async () => {
  const boom = () => {
    throw new Error("boom");
  };
  const handler = handlerOf({
    routes: {
      "_error.tsx": Page("outer"),
      "a/_error.tsx": Page("inner"),
      "a/x.ts": { handler: boom },
      "b/_error.tsx": { default: boom },
      "b/x.ts": { handler: boom },
    },
  });
  assert.equal(shown(await text(handler, "/a/x")), "inner");
  assert.equal(shown(await text(handler, "/b/x")), "outer");
});

Deno.test("handler() answers without an _error page, in plain words", async () => {
  const failure = new Error("secret");
  const handler = new App<unknown>().get("/x", () => {
    throw failure;
  }).get("/y", () => {
    throw new HttpError(403, "Not yours");
  }).handler();
  const said = await consoleErrors(async () => {
    assert.equal(await text(handler, "/x"), "Internal Server Error");
    assert.equal(await text(handler, "/y"), "Not yours");
    assert.equal(await text(handler, "/z"), "Not Found");
  });
  assert.deepEqual(said, [failure]);
});

Deno.test("ctx.redirect() stays on this site", async () => {
  const handler = new App<unknown>()
    .get("/go", (ctx) => ctx.redirect(ctx.url.searchParams.get("to") ?? "/")).handler();
  const to = async (path: string) =>
    (await get(handler, "/go?to=" + encodeURIComponent(path))).headers.get("location");
  assert.equal(await to("/vms?a=//b#c"), "/vms?a=//b#c");
  assert.equal(await to("//evil.example/x"), "/evil.example/x");
  assert.equal(await to("/\\evil.example"), "/evil.example");
  assert.equal(await to("/\t/evil.example"), "/evil.example");
  assert.equal(await to("/größe"), "/gr%C3%B6%C3%9Fe");
  await consoleErrors(async () => {
    assert.equal(await to("https://evil.example"), null);
    assert.equal(await to("javascript:alert(1)"), null);
  });
});

Deno.test("ctx.redirect() is called as a method, as Fresh's must be", async () => {
  const handler = new App<unknown>().get("/go", (ctx) => {
    const { redirect } = ctx;
    // @ts-expect-error -- the type says it, too
    return redirect("/");
  }).handler();
  const [said] = await consoleErrors(async () => assert.equal((await get(handler, "/go")).status, 500));
  assert.match(String(said), /TypeError: ctx\.redirect\(\) is a method/);
});

Deno.test("HttpError takes the statuses of errors alone", () => {
  // @ts-expect-error -- 200 is no error
  assert.equal(new HttpError(200).status, 200);
});

Deno.test("ctx.render() gives every page a nonce of its own, and its scripts and styles that nonce", async () => {
  const handler = handlerOf({
    routes: {
      "x.tsx": {
        default: () => (
          <p>
            <style>{"p {}"}</style>
            <script>1</script>
            <script nonce="own">2</script>
          </p>
        ),
      },
      "y.ts": { handler: () => new Response("y") },
    },
  });
  const [first, second] = [await get(handler, "/x"), await get(handler, "/x")];
  const nonce = nonceOf(first);
  assert.match(nonce ?? "", /^[0-9a-f]{32}$/);
  assert.notEqual(nonce, nonceOf(second));
  const html = await first.text();
  assert.match(html, new RegExp(`<style nonce="${nonce}">`));
  assert.match(html, new RegExp(`<script nonce="${nonce}">1`));
  assert.match(html, /<script nonce="own">2/);
  assert.equal(nonceOf(await get(handler, "/y")), undefined);
});

Deno.test("ctx.url has no repeated slashes", async () => {
  const handler = new App<unknown>().get("/x/y", (ctx) => new Response(ctx.url.pathname)).handler();
  assert.equal(await text(handler, "//x//y"), "/x/y");
});

Deno.test("ctx.info and ctx.route reach the handler, and requests do not share state", async () => {
  const handler = new App<{ n?: number }>().get("/:id", (ctx) => {
    ctx.state.n = (ctx.state.n ?? 0) + 1;
    return Response.json([ctx.info.remoteAddr, ctx.route, ctx.state.n]);
  }).handler();
  const remoteAddr = { transport: "tcp" as const, hostname: "192.0.2.1", port: 9 };
  for (let i = 0; i < 2; i++) {
    const response = await handler(new Request("http://h/1"), { remoteAddr, completed: Promise.resolve() });
    assert.deepEqual(await response.json(), [remoteAddr, "/:id", 1]);
  }
});

Deno.test("handler() refuses files that mean nothing", () => {
  assert.throws(() => handlerOf({ routes: { "x.tsx": {} } }), /must export a component/);
  assert.throws(() => handlerOf({ routes: { "_404.tsx": Page("") } }), /no special file/);
  assert.throws(() => handlerOf({ routes: { "a[b].tsx": Page("") } }), /neither a name/);
  assert.throws(
    () => handlerOf({ routes: { "(a)/x.tsx": Page(""), "(b)/x.tsx": Page("") } }),
    /defined twice/,
  );
  assert.throws(
    () => handlerOf({ routes: { "_middleware.ts": { default: {} } } }),
    /must export a middleware/,
  );
});
