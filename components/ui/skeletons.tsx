/** Placeholders in the shape of what comes; read out as "Loading". */
import { Skeleton } from "@mantine/core";
import { Hidden } from "./hidden";
import { Panel } from "./section";
import classes from "./skeletons.module.css";

export function HeaderSkeleton() {
  return (
    <div className={classes.header} aria-busy="true">
      <Hidden>Loading</Hidden>
      <Skeleton height={28} width="min(460px, 90%)" />
      <Skeleton height={14} width="min(320px, 70%)" mt={10} />
    </div>
  );
}

export function RowsSkeleton({ rows = 6 }: { rows?: number }) {
  return (
    <Panel>
      <div className={classes.rows} aria-busy="true">
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

export function PageSkeleton() {
  return (
    <>
      <HeaderSkeleton />
      <RowsSkeleton rows={3} />
      <div className={classes.gap} />
      <RowsSkeleton />
    </>
  );
}
