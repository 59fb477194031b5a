"""Technologies: taxonomies, keyword rules, the model, the decision, its evaluation."""
