import { page } from "fresh";
import { Head } from "fresh/runtime";
import { NewPoolForm } from "../../components/storage/NewPoolForm.tsx";
import StoragePools from "../../islands/StoragePools.tsx";
import type { PageState } from "../../lib/page_state.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { FOUND_TYPES, type FoundType } from "../../lib/contract/choices.ts";
import { isFoundType, POOL_FIELDS } from "../../lib/storage/pool_types.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { storageLack } from "../(_shared)/ready.ts";
import { NotReadyBar } from "../../components/host/ReadySteps.tsx";
import { creatablePool } from "../../lib/host/ready.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const storage = textsOf(texts);
const COMMAND = "create_storage_pool";

/** Data of the page; the form only if the address asks for it. */
async function shown(api: PageState["api"], params: URLSearchParams, refused: RefusedForm | null) {
  const [pools, hangs] = await Promise.all([
    api.getStoragePools().catch(fail),
    api.listHangs().catch(unlessAway),
  ]);
  const isSought = params.get("find") === "yes";
  if (params.get("do") !== "create" && !isSought) return { pools, hangs, form: null };
  const types = await api.getStoragePoolTypes().catch(fail);
  const wanted = params.get("type") ?? "dir";
  const type = types.find((each) => each.type === wanted) ?? types[0]!;
  const typed = typedAgain(refused, COMMAND) ?? typedAt(params);
  const sought = isSought && isFoundType(type.type) ? await findIn(api, type.type, typed) : null;
  return {
    pools,
    hangs,
    form: { types, type, typed, findFailure: sought?.failure ?? null, found: sought?.found ?? null },
  };
}

/** Found sources of a pool; a failure is shown in the form. */
async function findIn(
  api: PageState["api"],
  type: FoundType,
  { sourceHost }: Readonly<Record<string, string>>,
) {
  try {
    const named = FOUND_TYPES[type] === "host" && sourceHost !== undefined && sourceHost !== "";
    return { found: await api.findStorageSources({ type, ...(named && { sourceHost }) }), failure: null };
  } catch (error) {
    return { found: null, failure: failureOf(error) };
  }
}

/** Fields of the form that stand in an address: of what was found, or typed before it was looked for. */
function typedAt(params: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    ["name", ...POOL_FIELDS, "build", "autostart"].flatMap((field) => {
      // Of a box and the hidden field that stands for an empty one, the box comes last.
      const text = params.getAll(field).at(-1);
      return text === undefined ? [] : [[field, text.slice(0, 1024)]];
    }),
  );
}

export const handler = define.handlers({
  async GET({ state, url }) {
    return page(await shown(state.api, url.searchParams, state.refused));
  },
});

/** The list of storage pools. */
export default define.page<typeof handler>(function Storage({ data: { pools, hangs, form }, state }) {
  const { connected } = state.connection;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.storage") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("nav.storage")}</h1>
        <div class="actions">
          {connected && form === null && state.may("create_storage_pool") && (
            <a class="button primary" href="/storage?do=create">{storage.t("storage.new")}</a>
          )}
        </div>
      </header>
      {form !== null && (
        <NewPoolForm
          {...form}
          usual={creatablePool(pools)}
          errorAt={(field) => refusalAt(state.refused, COMMAND, field)}
        />
      )}
      {form === null && pools.length > 0 && <NotReadyBar lack={storageLack(state, pools, "/storage")} />}
      <StoragePools
        pools={pools}
        hangs={hangs}
        lack={storageLack(state, pools, "/storage")}
        connected={connected}
        now={Date.now()}
      />
    </>
  );
});
