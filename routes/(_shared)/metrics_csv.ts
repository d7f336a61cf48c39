import type { MetricHistory } from "../../lib/contract/metrics.ts";
import { metricsCsv } from "../../lib/metrics/csv.ts";
import { attachment } from "../../lib/text/attachment.ts";

/** A history as a file for spreadsheets, sent as it is made. @param name of what it is of */
export function csvAnswer(name: string, history: MetricHistory): Response {
  const encoder = new TextEncoder(), parts = metricsCsv(history);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = parts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  const day = new Date(history.to).toISOString().slice(0, 10);
  return new Response(body, {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": attachment(`${name}-metrics-${day}.csv`),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
