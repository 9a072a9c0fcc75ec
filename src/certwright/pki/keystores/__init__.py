"""Key stores for Java and Windows programs: JKS and PKCS #12, written only."""
