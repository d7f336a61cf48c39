import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Flash } from "../../components/kit/Flash.tsx";
import { ForeignVmTable } from "../../components/vm/foreign/ForeignVmTable.tsx";
import {
  ImportForeignForm,
  type ImportForeignFormProps,
} from "../../components/vm/foreign/ImportForeignForm.tsx";
import { SourceForm, type SourceFormProps } from "../../components/vm/foreign/SourceForm.tsx";
import type { ForeignVmEntry } from "../../lib/contract/mod.ts";
import { foreign as texts } from "../../lib/i18n/en/foreign.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { answerWarnings } from "../../lib/text/notice.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import {
  askedHref,
  askedInAddress,
  askedInForm,
  type ForeignAsked,
  importForeignInput,
  isOnServer,
} from "../../lib/vm/foreign_form.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail } from "../(_shared)/fail.ts";
import { begin } from "../(_shared)/long_work.ts";
import { typedFields } from "../../lib/text/typed_fields.ts";

const own = textsOf(texts);
type Api = PageState["api"];
type Typed = Readonly<Record<string, string>>;

/** Milliseconds the form waits for the import: a refusal comes by then, and so does the end of what is small. */
const SOON_MS = 2500;

/** Data of the page: the form for the source, the choice of a VM, or the form for the new VM. */
type Shown =
  | ({ readonly kind: "source"; readonly failure: Failure | null } & SourceFormProps)
  | { readonly kind: "choice"; readonly asked: ForeignAsked; readonly entries: readonly ForeignVmEntry[] }
  | ({ readonly kind: "preview" } & ImportForeignFormProps);

/** Certificate or host key in a refusal that the user must compare. */
function comparedIn(failure: Failure | null): SourceFormProps["compared"] {
  const why = failure?.why ?? "";
  if (failure?.code === "CertificateUnknown" || failure?.code === "CertificateChanged") {
    const [value] = /(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/.exec(why) ?? [];
    return value === undefined ? undefined : { name: "certificate", value };
  }
  if (failure?.code === "HostKeyUnknown" || failure?.code === "HostKeyChanged") {
    const [value] = /SHA256:[A-Za-z0-9+/]{43}/.exec(why) ?? [];
    return value === undefined ? undefined : { name: "hostKey", value };
  }
  return undefined;
}

async function source(api: Api, typed: Typed = {}, failure: Failure | null = null): Promise<Shown> {
  const hosts = (await api.listHosts().catch(fail)).filter(({ isLocal, linked }) => !isLocal && !linked)
    .map(({ id }) => ({ value: id, label: oneLine(id, 60) }));
  return { kind: "source", hosts, typed, failure, compared: comparedIn(failure) };
}

/** The active pools that disks can go to. */
async function poolsOf(api: Api) {
  const pools = await api.getStoragePools().catch(fail);
  return pools.filter(({ state, fixed }) => state === "running" && !fixed).map((
    { name, availableBytes },
  ) => ({
    value: name,
    label: availableBytes === undefined
      ? name
      : own.t("foreign.free", { name: oneLine(name, 60), free: formatBytes(availableBytes) }),
  }));
}

async function preview(api: Api, asked: ForeignAsked, typed: Typed, failure: Failure | null): Promise<Shown> {
  const [seen, pools, options] = await Promise.all([
    api.inspectForeignVm(asked),
    poolsOf(api),
    api.getCreateOptions({}),
  ]);
  const networks = options.networks.map(({ name }) => name);
  return { kind: "preview", preview: seen, asked, pools, networks, bridges: options.bridges, typed, failure };
}

/** The form for the asked VM, or the list of the source's VMs if none is named. */
async function shown(
  api: Api,
  asked: ForeignAsked,
  typed: Typed = {},
  failure: Failure | null = null,
): Promise<Shown> {
  try {
    if (asked.vm === undefined && asked.definition === undefined) {
      const { kind, origin, username, password, certificate, hostKey } = asked;
      const login = {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...(certificate !== undefined && { certificate }),
        ...(hostKey !== undefined && { hostKey }),
      };
      const entries = await api.listForeignVms({ kind, origin, ...login });
      if (entries.length !== 1 || isOnServer(asked)) return { kind: "choice", asked, entries };
    }
    return await preview(api, asked, typed, failure);
  } catch (error) {
    return await source(api, { ...typed, ...typedOf(asked) }, failure ?? failureOf(error));
  }
}

/** The request as values of the form. */
const typedOf = ({ definition: _, password: _password, ...asked }: ForeignAsked): Record<string, string> =>
  Object.fromEntries(
    Object.entries(asked).map((
      [name, value],
    ) => [name, Array.isArray(value) ? value.join("\n") : String(value)]),
  );

const statusOf = (data: Shown) =>
  "failure" in data && data.failure !== null ? { status: data.failure.status } : {};

export const handler = define.handlers({
  async GET({ state: { api }, url }) {
    const asked = askedInAddress(url.searchParams);
    const data = asked === undefined ? await source(api) : await shown(api, asked);
    return page(data, statusOf(data));
  },
  async POST(ctx) {
    const { state: { api } } = ctx, form = await postedForm(ctx.req);
    const asked = await askedInForm(form);
    if (asked === undefined) return page(await source(api, typedFields(form)));
    if (form.get("step") !== "import") {
      // The password is in no address: the sign-in holds for a while.
      if (asked.definition === undefined && !isOnServer(asked)) return ctx.redirect(askedHref(asked), 303);
      const data = await shown(api, asked);
      if (isOnServer(asked) && data.kind !== "source") return ctx.redirect(askedHref(asked), 303);
      return page(data, statusOf(data));
    }
    try {
      const begun = await begin(
        api,
        "import_foreign_vm",
        SOON_MS,
        () => api.importForeignVm(importForeignInput(form, asked)),
      );
      if (!begun.isOver) return ctx.redirect(begun.href, 303);
      const { vmId, name } = begun.result;
      ctx.state.notify({
        is: "done",
        word: "import_foreign_vm",
        name,
        warnings: answerWarnings(begun.result),
      });
      return ctx.redirect(`/vms/${encodeURIComponent(vmId)}`, 303);
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(api, asked, typedFields(form), failure), { status: failure.status });
    }
  },
});

/** Bringing a VM of another hypervisor in. */
export default define.page<typeof handler>(function ImportFrom({ data }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: own.t("foreign.title") })}</title>
      </Head>
      <div class="storage-stack">
        <header class="page-head">
          <h1>{own.t("foreign.title")}</h1>
          <span class="actions">
            <a class="button" href="/vms/import-ova">{t("manage.import_ova")}</a>
          </span>
        </header>
        {data.kind === "preview" && <ImportForeignForm {...data} />}
        {data.kind === "choice" && <ForeignVmTable asked={data.asked} entries={data.entries} />}
        {data.kind === "source" && (
          <>
            <p>{own.t("foreign.what")}</p>
            <Flash tone="bad" failure={data.failure} />
            <SourceForm typed={data.typed} hosts={data.hosts} compared={data.compared} />
          </>
        )}
      </div>
    </>
  );
});
