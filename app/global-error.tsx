"use client";
/** The last resort, when even the layout failed: plain elements only. */
export default function GlobalError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  return (
    <html lang="en">
      <body>
        <main>
          <h1>Holdfast could not show this page.</h1>
          <p>The server failed while making it. Nothing was changed. Its log says why.</p>
          {error.digest ? <p>Reference {error.digest}</p> : null}
          <button type="button" onClick={reset}>
            Try again
          </button>
        </main>
      </body>
    </html>
  );
}
