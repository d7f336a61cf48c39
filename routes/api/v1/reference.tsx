/** The API's reference, made from the contract: every command with its input, answer, errors and an example. */
import { Head } from "fresh/runtime";
import { CommandEntry } from "../../../components/CommandEntry.tsx";
import { EVENTS } from "../../../lib/contract/events.ts";
import { REST_ROUTES } from "../../../lib/contract/rest.ts";
import { reference as referenceTexts } from "../../../lib/i18n/en/reference.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";

const texts = textsOf(referenceTexts);

export default define.page(function Reference() {
  return (
    <div class="reference">
      <Head>
        <title>{t("title.page", { page: texts.t("reference.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{texts.t("reference.title")}</h1>
      </header>
      <p>{texts.t("reference.intro")}</p>
      <p>
        <a href="/api/v1/openapi.json">{texts.t("reference.openapi")}</a>
      </p>
      <nav aria-label={texts.t("reference.commands")}>
        <ul class="reference-index">
          {REST_ROUTES.map(({ name }) => (
            <li key={name}>
              <a href={`#${name}`}>{name}</a>
            </li>
          ))}
        </ul>
      </nav>
      {REST_ROUTES.map((route) => <CommandEntry key={route.name} route={route} />)}
      <section class="panel reference-command" id="events" aria-labelledby="events-title">
        <h2 id="events-title">{texts.t("reference.events")}</h2>
        <p>{texts.t("reference.events_text")}</p>
        <pre tabIndex={0}>curl -N http://127.0.0.1:8440/api/v1/events</pre>
        <ul>
          {Object.keys(EVENTS).map((name) => (
            <li key={name}>
              <code>{name}</code>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
});
