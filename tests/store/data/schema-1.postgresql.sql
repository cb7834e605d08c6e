CREATE TABLE occurrences (
	schedule TEXT NOT NULL,
	planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
	target TEXT NOT NULL,
	state TEXT NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	claim TEXT NOT NULL,
	daemon TEXT NOT NULL,
	beat INTEGER NOT NULL,
	claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	run TEXT NOT NULL,
	verdict TEXT NOT NULL,
	detail TEXT NOT NULL,
	PRIMARY KEY (schedule, planned_at)
);
CREATE UNIQUE INDEX occurrences_one_a_target ON occurrences (target) WHERE state = 'running';
CREATE TABLE outbox (
	number BIGSERIAL NOT NULL,
	id TEXT NOT NULL,
	sink TEXT NOT NULL,
	kind TEXT NOT NULL,
	dedup_key TEXT NOT NULL,
	order_key TEXT NOT NULL,
	body TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	state TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
	claimed_until TIMESTAMP WITH TIME ZONE,
	sent_at TIMESTAMP WITH TIME ZONE,
	last_error TEXT NOT NULL,
	PRIMARY KEY (number),
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
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
	result TEXT NOT NULL,
	PRIMARY KEY (run, target)
);
CREATE INDEX runs_of_experiment ON runs (target, experiment, started_at);
CREATE TABLE schedules (
	schedule TEXT NOT NULL,
	accounted_until TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (schedule)
);
CREATE TABLE seatrial_schema (
	version SERIAL NOT NULL,
	PRIMARY KEY (version)
);
