/** The API's reference, made from the contract: one command a page, with its input, answer, errors and an example. */
import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { CommandEntry } from "../../../components/shell/CommandEntry.tsx";
import ReferenceIndex, { type ReferenceEntry } from "../../../islands/ReferenceIndex.tsx";
import { EVENTS } from "../../../lib/contract/events.ts";
import { REST_ROUTES } from "../../../lib/contract/rest.ts";
import { quoted } from "../../../lib/text/shell_word.ts";
import { reference as referenceTexts } from "../../../lib/i18n/en/reference.ts";
import { translated } from "../../../lib/i18n/locale.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";

const texts = textsOf(referenceTexts);

/** Name of the page about events, which are no command. */
const EVENTS_PAGE = "events";

const entries = (): readonly ReferenceEntry[] => [
  [EVENTS_PAGE, texts.t("reference.events")],
  ...REST_ROUTES.map(({ name, command }): ReferenceEntry => [name, translated(command.summary)]),
];

export const handler = define.handlers({
  GET({ url }) {
    const name = url.searchParams.get("command") ?? REST_ROUTES[0]!.name;
    const route = REST_ROUTES.find((each) => each.name === name);
    if (route === undefined && name !== EVENTS_PAGE) throw new HttpError(404);
    return page({ name, route: route ?? null });
  },
});

function Events({ api }: { api: string }) {
  return (
    <section class="panel reference-command" id={EVENTS_PAGE} aria-labelledby="events-title">
      <h2 id="events-title">{texts.t("reference.events")}</h2>
      <p>{texts.t("reference.events_text")}</p>
      <pre tabIndex={0}>{`curl -N -H "Authorization: Bearer $KVMM_TOKEN" ${quoted(`${api}/events`)}`}</pre>
      <ul>
        {Object.keys(EVENTS).map((name) => (
          <li key={name}>
            <code>{name}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

export default define.page<typeof handler>(function Reference({ data: { name, route }, url, state }) {
  const api = `${url.origin}${state.base}/api/v1`;
  return (
    <div class="reference">
      <Head>
        <title>{t("title.page", { page: `${name} · ${texts.t("reference.title")}` })}</title>
      </Head>
      <header class="page-head">
        <h1>{texts.t("reference.title")}</h1>
      </header>
      <p>{texts.t("reference.intro")}</p>
      <p>
        <a href="/api/v1/openapi.json">{texts.t("reference.openapi")}</a>
      </p>
      <div class="reference-body">
        <ReferenceIndex entries={entries()} current={name} />
        {route === null ? <Events api={api} /> : <CommandEntry route={route} api={api} />}
      </div>
    </div>
  );
});
