# Everything here is plain go; nothing needs make.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME ?= 30s

build:
	go build -o bin/dclone ./cmd/dclone

test:
	go test ./...

race:
	GOFLAGS=-race go test ./...

# Each fuzz target for a while: go test takes one at a time.
fuzz:
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$p || exit 1; \
		done; \
	done

bench:
	go run ./bench

check:
	@test -z "$$(gofmt -l .)" || { echo "gofmt -w: $$(gofmt -l .)"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

.PHONY: build test race fuzz bench check
