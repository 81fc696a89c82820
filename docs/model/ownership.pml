/*
 * Who owns a partition: the group's slot, one partition's slot, members that may stop between any two steps, requests
 * that arrive late or twice, and failovers that forget. One step here is one script there; README.md says which.
 *
 * One partition stands for all: partitions share nothing but the group's claim counter, which ELSEWHERE moves.
 * Whoever leads, and however many do, is "anybody may be assigned, evicted or deprived at any time".
 *
 * What is checked has a name and is reported by it. Instances and mutants are chosen by -D on the command line.
 */

#ifndef MEMBERS
#define MEMBERS 2            /* member ids; an id joins once, a member that comes back has another */
#endif
#ifndef CLAIMS
#define CLAIMS 3             /* claims in the life of the group */
#endif
#ifndef NONCES
#define NONCES 3             /* acquires that are sent */
#endif
#ifndef RECORDS
#define RECORDS 2            /* offsets of the log */
#endif
#ifndef APPENDS
#define APPENDS 0            /* how many of them are not there at the beginning */
#endif
#ifndef PARTITION_FAILOVERS
#define PARTITION_FAILOVERS 0
#endif
#ifndef GROUP_FAILOVERS
#define GROUP_FAILOVERS 0
#endif
#ifndef SEEKS
#define SEEKS 0
#endif
#ifndef ELSEWHERE
#define ELSEWHERE 0          /* claims for other partitions, which take numbers away */
#endif

#define NONE 0

/* ---- what is checked --------------------------------------------------------------------------------------------- */

hidden byte grant_before_release;  /* I1 */
hidden byte stale_commit;          /* I2 */
hidden byte stale_release;         /* I2 */
hidden byte stale_seek;            /* I2 */
hidden byte epoch_reused;          /* I3 */
hidden byte record_skipped;        /* I4, I6 */
hidden byte commit_regression;     /* I4 */
hidden byte commit_beyond_end;     /* I4 */
hidden byte commit_beyond_position;/* I4 */
hidden byte wrong_first_delivery;  /* I5 */
hidden byte heir_fenced;           /* a member that slept between claim and acquire fences its heir */
hidden byte never_owned;           /* I8: faults have stopped, and the partition stays without an owner */

#define CHECK(name, condition) if :: (condition) -> skip :: else -> name = 1; assert(!name) fi
/* With HARM a mutant is let past the refusal that it lacks, to see what comes of it. */
#ifdef HARM
#define CHECK_FENCE(name, condition) skip
#else
#define CHECK_FENCE(name, condition) CHECK(name, condition)
#endif

/* ---- the two slots ----------------------------------------------------------------------------------------------- */

typedef PartitionSlot {
  byte epoch; byte nonce; byte owner; byte claim; byte committed; byte end = RECORDS - APPENDS;
  byte log[RECORDS]          /* which server took the record: after a failover, another record has the offset */
};
typedef GroupSlot {
  byte present;              /* bit per member */
  byte claims; byte holderClaim; byte holder
};

PartitionSlot partition;
GroupSlot group;
byte server = 1;             /* replication id of whoever serves the partition's slot */

#if PARTITION_FAILOVERS
PartitionSlot partitionReplica;
bool isCut;                  /* the replica has heard nothing since */
byte partitionFailovers;
#endif
#if GROUP_FAILOVERS
GroupSlot groupReplica;
bool isGroupCut;
#endif
byte groupFailovers;

/* ---- members ----------------------------------------------------------------------------------------------------- */

mtype = { new, joined, out };
mtype = { none, acquired, delivering };

typedef MemberState {
  mtype membership = new;
  byte claim;                /* the claim that it knows of */
  bool isTried;              /* one acquire for one claim */
  byte lowest;               /* what the next claim must be above, after SUPERSEDED */
  mtype lane = none;
  byte epoch; byte nonce; byte server; byte position;
  byte sought; byte soughtTo; /* a seek whose reply has not come: its new nonce, its offset */
  byte ownership             /* known to the checker only */
};
MemberState members[MEMBERS + 1];

/* ---- requests that are under way while their sender goes on ------------------------------------------------------- */

mtype = { acquire, unclaim, join, commit, release, seek };
typedef Request {
  mtype kind; byte member; byte claim; byte epoch; byte nonce; byte server; byte offset; byte newNonce;
  byte ownership             /* known to the checker only */
};
#ifdef LATE
Request late;                /* acquire, unclaim, join */
Request lateFenced;          /* commit, release, seek */
#endif

#define copyGroup(to, from) \
  to.present = from.present; to.claims = from.claims; to.holderClaim = from.holderClaim; to.holder = from.holder
#define clearGroup(slot) slot.present = 0; slot.claims = 0; slot.holderClaim = 0; slot.holder = NONE

inline copyPartition(to, from) {
  to.epoch = from.epoch; to.nonce = from.nonce; to.owner = from.owner; to.claim = from.claim;
  to.committed = from.committed; to.end = from.end;
  at = 0;
  do
  :: at < RECORDS -> to.log[at] = from.log[at]; at++
  :: else -> at = 0; break
  od
}

inline clearPartition(slot) {
  slot.epoch = 0; slot.nonce = 0; slot.owner = NONE; slot.claim = 0; slot.committed = 0; slot.end = 0;
  at = 0;
  do
  :: at < RECORDS -> slot.log[at] = 0; at++
  :: else -> at = 0; break
  od
}

/* ---- what only the checker knows ---------------------------------------------------------------------------------- */

byte ownerships;             /* every ownership has a number of its own, whatever epoch and nonce it is given */
byte current;                /* the one that may write now; none after a release or a failover */
byte highestEpoch;
byte serverTime;             /* the server's clock; between failovers all happens within one millisecond */
byte nonces;
short done;                  /* bit per record there ever was: its handler has finished, or a seek went past it */
byte seeks;
byte elsewhere;
hidden byte at;              /* loop index and result within one step */
hidden byte number;
#define BIT(n) (1 << (n))
#define RECORD(offset) BIT(partition.log[offset] * RECORDS + offset)
#define isPresent(m) ((group.present & BIT(m)) != 0)

/* ---- scripts ------------------------------------------------------------------------------------------------------ */

#define isWriter(m) (members[m].lane != none && members[m].ownership == current)
#if MEMBERS == 2
#define isOwnedByOther(m) ((m != 1 && isPresent(1) && isWriter(1)) || (m != 2 && isPresent(2) && isWriter(2)))
#else
#define isOwnedByOther(m) ((m != 1 && isPresent(1) && isWriter(1)) || (m != 2 && isPresent(2) && isWriter(2)) || \
                           (m != 3 && isPresent(3) && isWriter(3)))
#endif
bool isForced;               /* the leader has taken a claim away from a living member */

#ifdef GRANT_HELD
#define isHeldByOther(m) false
#else
#define isHeldByOther(m) (group.holder != NONE && group.holder != m && isPresent(group.holder))
#endif

/* claim-partitions: the number in `number`, 0 where the partition is held. */
inline claimPartition(who, lowestNumber) {
  group.claims = (group.claims + 1 < lowestNumber -> lowestNumber : group.claims + 1);
  if
  :: isHeldByOther(who) -> number = 0
  :: else ->
     number = group.claims;
     CHECK(grant_before_release,
           group.holder == who || groupFailovers > 0 || isForced || !isOwnedByOther(who));
     group.holderClaim = number;
     group.holder = who
  fi
}

#ifdef NO_CLAIM_NUMBER
#define isSuperseded(m, number) false
#else
#define isSuperseded(m, number) \
  (partition.claim > number || (partition.claim == number && partition.owner != NONE && partition.owner != m))
#endif

#ifdef EPOCH_COUNTS
#define nextEpoch (partition.epoch + 1)
#else
#define nextEpoch (partition.epoch + 1 > serverTime -> partition.epoch + 1 : serverTime)
#endif

/* acquire-partition. Repeated, it answers what it answered; the caller looks at `partition` for that. */
inline acquirePartition(who, itsClaim, itsNonce) {
  if
  :: partition.nonce == itsNonce || isSuperseded(who, itsClaim) -> skip
  :: else ->
     CHECK(heir_fenced, groupFailovers > 0 || itsClaim >= partition.claim);
     partition.epoch = nextEpoch;
#ifndef CLOCK_BEHIND
     CHECK(epoch_reused, partition.epoch > highestEpoch);
#endif
     highestEpoch = (partition.epoch > highestEpoch -> partition.epoch : highestEpoch);
     partition.nonce = itsNonce;
     partition.owner = who;
     partition.claim = itsClaim;
     ownerships++;
     current = ownerships
  fi
}

#ifdef NO_SERVER
#define isSameServer(s) true
#else
#define isSameServer(s) (s == server)
#endif
#ifdef NO_EPOCH
#define isSameEpoch(e) true
#else
#define isSameEpoch(e) (e == partition.epoch)
#endif
#ifdef NO_NONCE
#define isSameNonce(n) true
#else
#define isSameNonce(n) (n == partition.nonce)
#endif
#define passesFence(e, n, s) (isSameServer(s) && isSameEpoch(e) && isSameNonce(n))

#ifdef COMMIT_BACK
#define isForward(wanted) (wanted != partition.committed)
#else
#define isForward(wanted) (wanted > partition.committed)
#endif

/* commit-offset. */
inline commitOffset(its, itsEpoch, itsNonce, itsServer, wanted) {
  if
  :: passesFence(itsEpoch, itsNonce, itsServer) && isForward(wanted) && wanted <= partition.end ->
     CHECK_FENCE(stale_commit, its == current);
     CHECK(commit_regression, wanted >= partition.committed);
     checkAllDone(wanted);
     partition.committed = wanted;
     CHECK(commit_beyond_end, partition.committed <= partition.end);
     checkPositions()
  :: else -> skip
  fi
}

inline checkAllDone(wanted) {
  at = partition.committed;
  do
  :: at < wanted -> CHECK(record_skipped, (done & RECORD(at)) != 0); at++
  :: else -> at = 0; break
  od
}

/* Nothing that is committed lies beyond where the owner stands: its heir would begin behind it. */
inline checkPositions() {
  at = 1;
  do
  :: at <= MEMBERS ->
     CHECK(commit_beyond_position, !isWriter(at) || partition.committed <= members[at].position);
     at++
  :: else -> at = 0; break
  od
}

/* release-partition. */
inline releasePartition(its, itsEpoch, itsNonce, itsServer) {
  if
  :: isSameServer(itsServer) && itsEpoch == partition.epoch && itsNonce == partition.nonce ->
     CHECK_FENCE(stale_release, its == current);
     partition.nonce = NONE;
     partition.owner = NONE;
     current = NONE
  :: else -> skip
  fi
}

/* unclaim-partitions. */
inline unclaimPartition(who, itsClaim) {
  if
#ifdef UNCLAIM_ANY
  :: group.holder != NONE ->
#else
  :: group.holder == who && group.holderClaim == itsClaim ->
#endif
     group.holder = NONE;
     group.holderClaim = 0
  :: else -> skip
  fi
}

/*
 * seek-offset. What it goes past is not to be delivered, by its user's wish. It gives the ownership another
 * nonce, so that a commit or a seek of before which arrives late cannot undo it; not with SEEK_KEEPS_NONCE.
 */
inline seekOffset(its, itsEpoch, itsNonce, itsServer, fresh, wanted) {
  if
  :: passesFence(itsEpoch, itsNonce, itsServer) && wanted <= partition.end ->
     CHECK_FENCE(stale_seek, its == current);
     at = partition.committed;
     do
     :: at < wanted -> done = done | RECORD(at); at++
     :: else -> at = 0; break
     od;
     partition.committed = wanted;
#ifndef SEEK_KEEPS_NONCE
     partition.nonce = fresh;
     ownerships++;
     current = ownerships;
#endif
     checkPositions()
  :: else -> skip
  fi
}

/* ---- members ------------------------------------------------------------------------------------------------------ */

#ifdef CALM
#define isAlive(m) ((alive & BIT(m)) != 0)
#define livesIn(m) (isAlive(m) && members[m].membership == joined)
#define noneIsDead ((!isPresent(1) || livesIn(1)) && (!isPresent(2) || livesIn(2)))
#define mayEvict (isPresent(me) && (!isCalm || !livesIn(me)))
#define isOneThere (livesIn(1) || livesIn(2))
/* In the partition's slot; in the group's too, unless a failover has made it forget. */
#define isOwnedByTarget (target != NONE && owns(target) && (groupFailovers > 0 || group.holder == target))
bool isCalm;                 /* no fault happens any more */
byte alive;                  /* who lives then: bit per member */
byte target;                 /* who is assigned the partition then */
#define mayStep (!isCalm || isAlive(me))
#define isTarget (!isCalm || target == me)
#define isNotTarget (!isCalm || (target != NONE && target != me))
#else
#define isCalm false
#define mayEvict isPresent(me)
#define mayStep true
#define isTarget true
#define isNotTarget true
#endif

#define me (_pid + 1)
#define my members[me]
#define owns(m) (members[m].lane != none && \
  members[m].nonce == partition.nonce && members[m].epoch == partition.epoch && members[m].server == server)

#define isNext (me == 1 || members[me - 1].membership != new)

inline forgetLane() {
  my.lane = none; my.epoch = 0; my.nonce = 0; my.server = 0; my.position = 0; my.ownership = 0;
  my.sought = 0; my.soughtTo = 0
}

inline forgetAll() {
  forgetLane(); my.claim = 0; my.isTried = false; my.lowest = 0; my.membership = out
}

/* The reply of an acquire that was sent with nonce `nonces`. */
inline takeAcquired() {
  my.isTried = true;
  if
  :: partition.nonce == nonces ->
     my.lane = acquired;
     my.epoch = partition.epoch;
     my.nonce = nonces;
     my.server = server;
     my.ownership = current;
     my.position = partition.committed
  :: else -> my.lowest = partition.claim + 1
  fi
}

/* The reply of a seek that was sent with nonce `nonces`. */
inline seekTo(wanted) {
  seeks++;
  nonces++;
  if
  :: passesFence(my.epoch, my.nonce, my.server) ->
     my.position = wanted;
     seekOffset(my.ownership, my.epoch, my.nonce, my.server, nonces, wanted);
#ifndef SEEK_KEEPS_NONCE
     my.ownership = current;
     my.nonce = nonces
#endif
  :: else -> forgetLane()
  fi
}

/* Sent, and the reply is lost: it has to be repeated. */
inline awaitSought(wanted) {
  seeks++; nonces++; my.sought = nonces; my.soughtTo = wanted
}

/* The same seek once more, with the same new nonce, and this time the reply comes. */
inline repeatSeek() {
  if
  :: partition.nonce == my.sought && my.epoch == partition.epoch && isSameServer(my.server) ->
     my.position = my.soughtTo;
     my.ownership = current;
     my.nonce = my.sought
  :: passesFence(my.epoch, my.nonce, my.server) ->
     my.position = my.soughtTo;
     seekOffset(my.ownership, my.epoch, my.nonce, my.server, my.sought, my.soughtTo);
     my.ownership = current;
     my.nonce = my.sought
  :: else -> forgetLane()
  fi;
  my.sought = 0;
  my.soughtTo = 0
}

inline postpone(what) {
  late.kind = what; late.member = me; late.claim = my.claim; late.nonce = (what == acquire -> nonces : 0)
}

inline postponeFenced(what, to) {
  lateFenced.kind = what; lateFenced.epoch = my.epoch; lateFenced.nonce = my.nonce; lateFenced.server = my.server;
  lateFenced.ownership = my.ownership;
  lateFenced.offset = to
}

#define mayPostpone(slot) (!isCalm && slot.kind == 0)
/* In the calm a member that is refused waits for a wake-up, and one that has a fresh claim uses it. */
#define mayClaim (isTarget && mayStep && \
                  (isCalm && !isHeldByOther(me) && (my.claim == 0 || my.isTried) || !isCalm && group.claims < CLAIMS))
#define mayAcquire (isTarget && mayStep && my.membership == joined && my.claim != 0 && !my.isTried && my.lane == none && \
                    (isCalm || nonces < NONCES))
#define maySeek (!isCalm && my.lane != none && my.sought == 0 && seeks < SEEKS)

#ifdef COMMIT_FIRST
#define toCommit (my.position < partition.end -> my.position + 1 : my.position)
#else
#define toCommit my.position
#endif

active [MEMBERS] proctype Member() {
end:
  do
  /* Ids are given in order: members are alike, and the checker need not look at each numbering. */
  :: d_step { mayStep && my.membership == new && isNext ->
       group.present = group.present | BIT(me);
       my.membership = joined }
  /* It hears that it is not in the group, long after perhaps; or leaves. */
  :: d_step { mayStep && my.membership == joined && !isPresent(me) -> forgetAll() }
  :: d_step { !isCalm && my.membership == joined && my.lane == none ->
       group.present = group.present & ~BIT(me);
       forgetAll() }

  /* Others evict it: whom they suspect wrongly goes on without knowing it. */
  :: d_step { mayEvict -> group.present = group.present & ~BIT(me) }
#ifdef CALM
  :: d_step { isCalm && target == NONE && noneIsDead && my.membership == joined && isPresent(me) -> target = me }
  /* The leader's audit, where the holder does not know what it holds: the claim's reply was lost. */
#ifndef NO_AUDIT
  :: d_step { target == me && isHeldByOther(me) && members[group.holder].claim != group.holderClaim ->
       group.holder = NONE; group.holderClaim = 0; isForced = true }
#endif
#endif

  /* Claim: the reply comes, or is lost. */
  :: d_step { mayClaim && my.membership == joined && isPresent(me) && my.lane == none ->
       claimPartition(me, my.lowest);
       if
       :: number > 0 -> my.claim = number; my.isTried = false
       :: else -> skip
       fi;
       my.lowest = 0;
       number = 0 }
  :: d_step { mayClaim && !isCalm && my.membership == joined && isPresent(me) && my.lane == none ->
       claimPartition(me, my.lowest);
       number = 0 }

  /* Acquire: the reply comes; is lost; the request is late; it comes twice. */
  :: d_step { mayAcquire -> nonces++; acquirePartition(me, my.claim, nonces); takeAcquired() }
  :: d_step { !isCalm && mayAcquire -> nonces++; acquirePartition(me, my.claim, nonces); my.isTried = true }
#ifdef LATE
  :: d_step { !isCalm && mayAcquire && late.kind == 0 -> nonces++; postpone(acquire); my.isTried = true }
  :: d_step { !isCalm && mayAcquire && late.kind == 0 ->
       nonces++; postpone(acquire); acquirePartition(me, my.claim, nonces); takeAcquired() }
#endif

  /* Deliver; commit, whose reply does not matter here: a refusal is found below. */
  :: d_step { !isCalm && my.lane != none && my.position < partition.end ->
       CHECK(wrong_first_delivery,
             my.lane != acquired || my.ownership != current || my.position == partition.committed);
       done = done | RECORD(my.position);
       my.position++;
       my.lane = delivering }
  :: d_step { !isCalm && my.lane != none && toCommit > 0 ->
       number = toCommit;
       commitOffset(my.ownership, my.epoch, my.nonce, my.server, number);
       number = 0 }

  /* It finds itself fenced, its lease over, the server another one. */
  :: d_step { mayStep && my.lane != none && (!isCalm || !owns(me)) -> forgetLane() }

  /* Give the partition up: in its own slot, then in the group's. */
  :: d_step { mayStep && isNotTarget && my.lane != none ->
       releasePartition(my.ownership, my.epoch, my.nonce, my.server);
       forgetLane() }
  :: d_step { mayStep && isNotTarget && my.lane == none && my.claim != 0 ->
       unclaimPartition(me, my.claim);
       my.claim = 0;
       my.isTried = false }

#if SEEKS
  /* To the beginning, or to the end. */
  :: d_step { maySeek && partition.committed > 0 -> seekTo(0) }
  :: d_step { maySeek && partition.committed < partition.end -> seekTo(partition.end) }
#ifndef SEEK_KEEPS_NONCE
  /* The reply is lost. Only here: without a nonce of its own the owner goes on elsewhere than its heir would, at once. */
  :: d_step { maySeek && partition.committed > 0 ->
       awaitSought(0); seekOffset(my.ownership, my.epoch, my.nonce, my.server, my.sought, 0) }
  :: d_step { maySeek && partition.committed < partition.end ->
       awaitSought(partition.end);
       seekOffset(my.ownership, my.epoch, my.nonce, my.server, my.sought, partition.end) }
  :: d_step { !isCalm && my.lane != none && my.sought != 0 -> repeatSeek() }
#endif
#endif

#ifdef LATE
  /*
   * A copy is left behind, to arrive later; the member goes on as if it had not sent it, or sends it too. A join that
   * failed is not tried again under the same id.
   */
  :: d_step { mayPostpone(late) && my.membership == new && isNext -> postpone(join); my.membership = out }
  :: d_step { mayPostpone(late) && my.claim != 0 && my.isTried && my.lane == none -> postpone(unclaim) }
  :: d_step { mayPostpone(lateFenced) && my.lane != none && my.position > 0 -> postponeFenced(commit, my.position) }
  :: d_step { mayPostpone(lateFenced) && my.lane != none -> postponeFenced(release, 0) }
#ifndef SEEK_KEEPS_NONCE
  :: d_step { mayPostpone(lateFenced) && maySeek && partition.committed < partition.end ->
       awaitSought(partition.end); postponeFenced(seek, partition.end); lateFenced.newNonce = my.sought }
#endif
#endif
  od
}

/* ---- everything else that happens ---------------------------------------------------------------------------------- */

active proctype Producer() {
end:
  do
  :: d_step { !isCalm && partition.end < RECORDS ->
       partition.log[partition.end] = server;
       partition.end++ }
  od
}

/* What others do to the group's slot. */
active proctype Group() {
end:
  do
#ifdef FORCE
  /* The leader's audit takes a claim away from who does not let go. */
  :: d_step { !isCalm && group.holder != NONE && !isForced ->
       group.holder = NONE; group.holderClaim = 0; isForced = true }
#endif
#if ELSEWHERE
  :: d_step { !isCalm && elsewhere < ELSEWHERE -> elsewhere++; group.claims++ }
#endif
#if GROUP_FAILOVERS
  :: d_step { !isCalm && !isGroupCut && groupFailovers < GROUP_FAILOVERS ->
       isGroupCut = true;
       copyGroup(groupReplica, group) }
  :: d_step { !isCalm && isGroupCut ->
       isGroupCut = false;
       groupFailovers++;
       copyGroup(group, groupReplica);
       clearGroup(groupReplica) }
#endif
  :: false
  od
}

#if PARTITION_FAILOVERS
/* The replica has heard of everything up to some moment, and becomes the primary later. */
active proctype PartitionFailover() {
end:
  do
  :: d_step { !isCalm && !isCut && partitionFailovers < PARTITION_FAILOVERS ->
       isCut = true;
       copyPartition(partitionReplica, partition);
       skip }
  :: d_step { !isCalm && isCut ->
       isCut = false;
       partitionFailovers++;
       copyPartition(partition, partitionReplica);
       clearPartition(partitionReplica);
       server++;
       current = NONE;
#ifndef CLOCK_BEHIND
       serverTime = highestEpoch + 1
#endif
       }
  od
}
#endif

#ifdef LATE
/* Executes a late request, now or again; loses it at last. */
active proctype Network() {
end:
  do
  :: d_step { !isCalm && late.kind == acquire -> acquirePartition(late.member, late.claim, late.nonce) }
  :: d_step { !isCalm && late.kind == unclaim -> unclaimPartition(late.member, late.claim) }
  :: d_step { !isCalm && late.kind == join -> group.present = group.present | BIT(late.member) }
  :: d_step { late.kind != 0 -> late.kind = 0; late.member = 0; late.claim = 0; late.nonce = 0 }
  :: d_step { !isCalm && lateFenced.kind == commit ->
       commitOffset(lateFenced.ownership, lateFenced.epoch, lateFenced.nonce, lateFenced.server, lateFenced.offset) }
  :: d_step { !isCalm && lateFenced.kind == release ->
       releasePartition(lateFenced.ownership, lateFenced.epoch, lateFenced.nonce, lateFenced.server) }
#if SEEKS
  :: d_step { !isCalm && lateFenced.kind == seek ->
       seekOffset(lateFenced.ownership, lateFenced.epoch, lateFenced.nonce, lateFenced.server, lateFenced.newNonce,
                  lateFenced.offset) }
#endif
  :: d_step { lateFenced.kind != 0 ->
       lateFenced.kind = 0; lateFenced.epoch = 0; lateFenced.nonce = 0; lateFenced.server = 0;
       lateFenced.offset = 0; lateFenced.newNonce = 0; lateFenced.ownership = 0 }
  od
}
#endif

#ifdef CALM
/*
 * At some moment faults stop: some members live, the others never do anything again, a leader assigns the partition to a
 * living one. Then the protocol's own steps alone must bring it there, whatever state it was left in. `timeout` holds
 * when nobody can do anything any more.
 */
active proctype Calm() {
  atomic {
    isCalm = true;
    if
    :: alive = BIT(1)
    :: alive = BIT(2)
    :: alive = BIT(1) | BIT(2)
    fi
  }
end:
  do
  :: atomic { timeout -> CHECK(never_owned, !isOneThere || isOwnedByTarget); break }
  od
}
#endif
