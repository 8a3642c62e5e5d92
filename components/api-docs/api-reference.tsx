import { CodeBlock } from "@/components/ui/code-block";
import { PageHeader } from "@/components/ui/page-header";
import { Panel, Section } from "@/components/ui/section";
import type { ApiReference, ReferenceEndpoint, ReferenceField } from "@/lib/api/reference";
import classes from "./api-reference.module.css";

/** The API as people read it: every endpoint by subject, what goes in and out, and how errors look. */
export function ApiReferencePage({ reference }: { reference: ApiReference }) {
  const count = reference.groups.reduce((sum, group) => sum + group.endpoints.length, 0);
  return (
    <>
      <PageHeader
        title={`${count} endpoints do everything that these pages do.`}
        facts={[
          <a key="openapi" href="/api/v1/openapi.json">
            OpenAPI 3.1 document
          </a>,
          "send Authorization: Bearer with an API token from Settings",
        ]}
      />
      {reference.groups.map((group) => (
        <Section key={group.tag} title={group.tag}>
          <Panel>
            {group.endpoints.map((endpoint) => (
              <EndpointItem key={endpoint.id} endpoint={endpoint} />
            ))}
          </Panel>
        </Section>
      ))}
      <Section title="Lists, repeats and errors">
        <Panel padded>
          <p>
            Lists answer <code>items</code> and <code>nextCursor</code>; pass it back as <code>cursor</code>{" "}
            for the next page. A POST with an <code>Idempotency-Key</code> of your own is done once, however
            often it is sent within 24 hours. Errors are problem+json (RFC 9457): <code>detail</code> says
            what happened and why, <code>remedy</code> what to do, <code>fields</code> what is wrong where;{" "}
            <code>requestId</code> finds it in the log.
          </p>
          <ul className={classes.errors}>
            {reference.errors.map(({ code, title }) => (
              <li key={code} id={`error-${code}`}>
                <code>{code}</code>: {title.toLowerCase()}
              </li>
            ))}
          </ul>
        </Panel>
      </Section>
    </>
  );
}

function EndpointItem({ endpoint }: { endpoint: ReferenceEndpoint }) {
  return (
    <details className={classes.item} id={endpoint.id}>
      <summary>
        <span className={classes.method}>{endpoint.method}</span>
        <span className={classes.path}>{endpoint.path}</span>
        <span className={classes.summary}>{endpoint.summary}</span>
      </summary>
      <div className={classes.body}>
        <p>
          {endpoint.access} Answers {endpoint.answers}.
        </p>
        <CodeBlock code={endpoint.curl} label="Copy the curl command" />
        <Fields caption="Query" fields={endpoint.query} marksRequired />
        <Fields caption="Body" fields={endpoint.body} marksRequired />
        <Fields caption="Answer" fields={endpoint.answer} />
      </div>
    </details>
  );
}

function Fields({
  caption,
  fields,
  marksRequired = false,
}: {
  caption: string;
  fields: ReferenceField[];
  marksRequired?: boolean;
}) {
  if (fields.length === 0) return null;
  return (
    <div className={classes.fields}>
      <table>
        <caption>{caption}</caption>
        <tbody>
          {fields.map((field) => (
            <tr key={`${field.name} ${field.type}`}>
              <th scope="row">
                <code>{field.name}</code>
                {marksRequired && field.required ? <small> required</small> : null}
              </th>
              <td>
                <code>{field.type}</code>
              </td>
              <td>
                <small>{field.note}</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
