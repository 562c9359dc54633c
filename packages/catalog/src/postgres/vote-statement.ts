/**
 * The vote in SQL. Parameters: $1, $2, $3 numbers of hypotheses, hashes and frames of the query (array literals), $4 the longest
 * list that is looked at, $5 how many tracks are wanted for each hypothesis.
 *
 * Votes fall on (track, reference frame - query frame) as in the vote table of a search in the process. For each hypothesis and
 * shard the best tracks come back, ranked by their best alignment, once among all alignments and once among those with a cell
 * of two votes: the search, which knows the strongest of all shards, applies either rule. Of these tracks the postings that
 * agree with the query in a hash come back as one list per hash, from which the search repeats the vote: so its answers are
 * those of a catalog in segments, and only candidates travel.
 *
 * Rows: kind `list` with hash, tracks, frames; `long` with the hash of a list that was left out; `total` with all votes cast.
 */
export function voteStatement(schema: string, span: 2 | 3): string {
  const around = span === 3 ? "own + before + after" : "own + after";
  const paired = span === 3 ? "own >= 2" : "own >= 2 or after >= 2";
  return `
with asked as materialized (
  select h as hypothesis, k as hash, f as frame from unnest($1::text::int[], $2::text::int[], $3::text::int[]) as a (h, k, f)
), lists as materialized (
  select p.shard, p.hash, p.tracks, p.frames, sum(cardinality(p.tracks)) over (partition by p.shard, p.hash) as length
  from (select distinct hash from asked) as wanted join ${schema}.postings p using (hash)
), cells as (
  select l.shard, a.hypothesis, u.track, u.frame - a.frame as place, count(*)::int as own
  from asked a join lists l on l.hash = a.hash and l.length <= $4::int
  cross join lateral unnest(l.tracks, l.frames) as u (track, frame)
  where u.track not in (select number from ${schema}.tracks where removed)
  group by 1, 2, 3, 4
), neighbours as (
  select shard, hypothesis, track, own,
    case when lead(place) over w = place + 1 then lead(own) over w else 0 end as after,
    case when lag(place) over w = place - 1 then lag(own) over w else 0 end as before
  from cells window w as (partition by shard, hypothesis, track order by place)
), best as (
  select shard, hypothesis, track, max(${around}) as every, max(${around}) filter (where ${paired}) as firm, sum(own) as cast_votes
  from neighbours group by 1, 2, 3
), ranked as (
  select track, firm, cast_votes,
    row_number() over (partition by shard, hypothesis order by every desc, track) as every_rank,
    row_number() over (partition by shard, hypothesis order by firm desc nulls last, track) as firm_rank
  from best
), chosen as materialized (
  select distinct track from ranked where every_rank <= $5::int or (firm_rank <= $5::int and firm is not null)
)
select 'list' as kind, l.hash, string_agg(u.track::text, ',' order by u.track, u.frame) as tracks,
  string_agg(u.frame::text, ',' order by u.track, u.frame) as frames
from lists l cross join lateral unnest(l.tracks, l.frames) as u (track, frame)
where l.length <= $4::int and u.track in (select track from chosen) group by l.hash
union all select distinct 'long', hash, null, null from lists where length > $4::int
union all select 'total', coalesce(sum(cast_votes), 0)::int, null, null from ranked`;
}
