/** Placeholders in the shape of what comes, so that nothing jumps; read out as "Loading". */
import { Skeleton } from "@mantine/core";
import { Hidden } from "./hidden";
import { PageHeader } from "./page-header";
import { Panel } from "./section";
import classes from "./skeletons.module.css";

/** A page's header; `title` where it is known before the rest: its line of facts is then left empty. */
export function HeaderSkeleton({ title, trail = [] }: { title?: string; trail?: Trail }) {
  return (
    <div aria-busy="true">
      <Hidden>Loading</Hidden>
      {title ? (
        <PageHeader trail={trail} title={title} facts={["\u00a0"]} />
      ) : (
        <div className={classes.header} data-trail={trail.length > 0 || undefined}>
          <Skeleton height={25} width="min(440px, 90%)" />
          <Skeleton height={12} width="min(320px, 70%)" mt={14} />
        </div>
      )}
    </div>
  );
}
type Trail = { label: string; href: string }[];

/** Rows of a list or panel. */
export function RowsSkeleton({ rows = 6 }: { rows?: number }) {
  return (
    <Panel>
      <div aria-busy="true">
        <Hidden>Loading</Hidden>
        {Array.from({ length: rows }, (_, row) => `row ${row}`).map((key, row) => (
          <div key={key} className={classes.row}>
            <Skeleton height={14} width={`${34 - ((row * 7) % 13)}%`} />
            <Skeleton height={12} width={`${18 + ((row * 5) % 9)}%`} />
            <Skeleton height={12} width="12%" />
          </div>
        ))}
      </div>
    </Panel>
  );
}

/** One block, such as a picture or a form; `height` in pixels. */
export function BlockSkeleton({ height }: { height: number }) {
  return (
    <Panel padded>
      <div aria-busy="true">
        <Hidden>Loading</Hidden>
        <Skeleton height={height} />
      </div>
    </Panel>
  );
}

/** A page of which nothing is known yet. */
export function PageSkeleton() {
  return (
    <>
      <HeaderSkeleton />
      <RowsSkeleton rows={8} />
    </>
  );
}
