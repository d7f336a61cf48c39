import { page } from "fresh";
import { Head } from "fresh/runtime";
import ImportForm from "../../islands/ImportForm.tsx";
import { answerWarnings } from "../../lib/text/notice.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { type ImportRequest, importRequest } from "../../lib/vm/import_form.ts";
import { manage } from "../../lib/i18n/en/manage.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";

const texts = textsOf(manage);
const NOTHING: ImportRequest = { xml: "", newId: false, newMacs: false, allowMissing: false };

export const handler = define.handlers({
  GET() {
    const failure: Failure | null = null;
    return page({ asked: NOTHING, failure });
  },
  /** The form, where there is no script. */
  async POST(ctx) {
    const asked = await importRequest(await postedForm(ctx.req));
    try {
      const imported = await ctx.state.api.importVm(asked), { vmId, name } = imported;
      ctx.state.notify({ is: "done", word: "import_vm", name, warnings: answerWarnings(imported) });
      return ctx.redirect(`/vms/${encodeURIComponent(vmId)}`, 303);
    } catch (error) {
      const failure = failureOf(error);
      return page({ asked, failure }, { status: failure.status });
    }
  },
});

/** Bringing a VM in. */
export default define.page<typeof handler>(function Import({ data }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: texts.t("manage.import_title") })}</title>
      </Head>
      <ImportForm asked={data.asked} failure={data.failure} />
    </>
  );
});
