# A stand-in for mambaorg/micromamba that reaches no channel: it makes an empty environment.
FROM trivium-test/debian
COPY --chmod=755 micromamba.sh /bin/micromamba
