import { page } from "fresh";
import { Head } from "fresh/runtime";
import { NewPoolForm } from "../../components/storage/NewPoolForm.tsx";
import { poolHref } from "../../components/storage/PoolParts.tsx";
import { storageDoneText } from "../../components/storage/StorageForm.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import StoragePools from "../../islands/StoragePools.tsx";
import type { PageState } from "../../lib/page_state.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { poolInput } from "../../lib/storage/forms.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { FOUND_TYPES, type FoundType } from "../../lib/contract/choices.ts";
import { isFoundType, POOL_FIELDS } from "../../lib/storage/pool_types.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { typedIn } from "../(_shared)/typed.ts";

const storage = textsOf(texts);

/** What the page shows; the form when it is asked for. */
async function shown(api: PageState["api"], type: string | null, asked: {
  readonly typed: Record<string, string>;
  readonly failure: Failure | null;
  readonly find?: boolean;
} = { typed: {}, failure: null }) {
  const pools = await api.getStoragePools().catch(fail);
  if (type === null) return { pools, form: null };
  const types = await api.getStoragePoolTypes().catch(fail);
  const chosen = types.find((each) => each.type === type) ?? types[0]!;
  const { typed, failure, find = false } = asked;
  const sought = find && isFoundType(chosen.type) ? await findIn(api, chosen.type, typed) : null;
  return {
    pools,
    form: {
      types,
      type: chosen,
      typed,
      failure: sought?.failure ?? failure,
      found: sought?.found ?? null,
    },
  };
}

/** What is found; why not is said in the form. */
async function findIn(api: PageState["api"], type: FoundType, { sourceHost }: Record<string, string>) {
  try {
    const named = FOUND_TYPES[type] === "host" && sourceHost !== undefined && sourceHost !== "";
    return { found: await api.findStorageSources({ type, ...(named && { sourceHost }) }), failure: null };
  } catch (error) {
    return { found: null, failure: failureOf(error) };
  }
}

/** Boxes, and what tells that the form was sent: an unticked box is not. */
const SENT = ["type", "build", "autostart"] as const;

/** Fields of the form that stand in an address: of what was found, or typed before it was looked for. */
function typedAt(params: URLSearchParams, wasSent: boolean): Record<string, string> {
  return Object.fromEntries(
    ["name", ...POOL_FIELDS, ...wasSent ? SENT : []].flatMap((field) => {
      const text = params.get(field);
      return text === null ? [] : [[field, text.slice(0, 1024)]];
    }),
  );
}

export const handler = define.handlers({
  async GET({ state, url }) {
    const type = url.searchParams.get("do") === "create" ? url.searchParams.get("type") ?? "dir" : null;
    const { searchParams } = url;
    const find = searchParams.get("find") === "yes";
    const asked = { typed: typedAt(searchParams, find), failure: null, find };
    return page(await shown(state.api, type, asked));
  },
  async POST(ctx) {
    const form = await ctx.req.formData();
    const input = poolInput(form);
    try {
      await ctx.state.api.createStoragePool(input);
    } catch (error) {
      return page(
        await shown(ctx.state.api, input.type, { typed: typedIn(form), failure: failureOf(error) }),
      );
    }
    return ctx.redirect(`${poolHref(input.name)}?done=create`, 303);
  },
});

/** The list of storage pools. */
export default define.page<typeof handler>(function Storage({ data: { pools, form }, state, url }) {
  const { connected } = state.connection;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.storage") })}</title>
      </Head>
      <Flash tone="ok">{storageDoneText(url.searchParams.get("done"))}</Flash>
      <header class="page-head">
        <h1>{t("nav.storage")}</h1>
        <div class="actions">
          {connected && form === null && state.may("create_storage_pool") && (
            <a class="button primary" href="/storage?do=create">{storage.t("storage.new")}</a>
          )}
        </div>
      </header>
      {form !== null && <NewPoolForm {...form} />}
      <StoragePools pools={pools} connected={connected} />
    </>
  );
});
