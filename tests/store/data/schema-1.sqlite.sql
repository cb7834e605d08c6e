CREATE TABLE occurrences (
	schedule TEXT NOT NULL,
	planned_at DATETIME NOT NULL,
	target TEXT NOT NULL,
	state TEXT NOT NULL,
	due_at DATETIME NOT NULL,
	claim TEXT NOT NULL,
	daemon TEXT NOT NULL,
	beat INTEGER NOT NULL,
	claimed_at DATETIME NOT NULL,
	ended_at DATETIME,
	run TEXT NOT NULL,
	verdict TEXT NOT NULL,
	detail TEXT NOT NULL,
	PRIMARY KEY (schedule, planned_at)
);
CREATE UNIQUE INDEX occurrences_one_a_target ON occurrences (target) WHERE state = 'running';
CREATE TABLE outbox (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL,
	sink TEXT NOT NULL,
	kind TEXT NOT NULL,
	dedup_key TEXT NOT NULL,
	order_key TEXT NOT NULL,
	body TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	state TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_attempt_at DATETIME NOT NULL,
	claimed_until DATETIME,
	sent_at DATETIME,
	last_error TEXT NOT NULL,
	UNIQUE (id)
);
CREATE INDEX outbox_incident ON outbox (dedup_key, number);
CREATE INDEX outbox_queue ON outbox (state, sink, order_key, number);
CREATE TABLE runs (
	run TEXT NOT NULL,
	target TEXT NOT NULL,
	experiment TEXT NOT NULL,
	verdict TEXT NOT NULL,
	interrupted BOOLEAN NOT NULL,
	started_at DATETIME NOT NULL,
	recorded_at DATETIME NOT NULL,
	result TEXT NOT NULL,
	PRIMARY KEY (run, target)
);
CREATE INDEX runs_of_experiment ON runs (target, experiment, started_at);
CREATE TABLE schedules (
	schedule TEXT NOT NULL,
	accounted_until DATETIME NOT NULL,
	PRIMARY KEY (schedule)
);
CREATE TABLE seatrial_schema (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
